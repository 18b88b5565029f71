// Titles while somebody types into a search field. Without scripts the field works as it is; what is typed goes nowhere but to this node.
"use strict";
for (const field of document.querySelectorAll("input[type=search]")) {
  const list = document.createElement("datalist");
  list.id = `${field.id}-titles`;
  field.after(list);
  field.setAttribute("list", list.id);
  let timer, under;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    under?.abort();
    const text = field.value.trim();
    if (text.length < 2 || text.length > 60) return list.replaceChildren();
    timer = setTimeout(async () => {
      under = new AbortController();
      try {
        const answer = await fetch(`/api/suggest?q=${encodeURIComponent(text)}`, { signal: under.signal });
        if (!answer.ok) return;
        const { items } = await answer.json();
        list.replaceChildren(...items.map(({ title }) => Object.assign(document.createElement("option"), { value: title })));
      } catch {
        // Gone or too slow: the search itself still works.
      }
    }, 200);
  });
}

// What the tests ask of a page, as functions that run inside it. `browser.rs` calls them by name with JSON values.
const clean = text => (text || "").replace(/\s+/g, " ").trim();
const shown = element => {
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return box.width > 2 && box.height > 2 && style.visibility !== "hidden" && style.display !== "none" && !style.clipPath.startsWith("inset(50%");
};
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const nameOf = element => clean(element.getAttribute("aria-label") || element.innerText || element.textContent || element.value);

// Rows, sections and forms, the smallest first, so that "the button beside these words" means the nearest one.
const around = words => {
  const places = all("li,tr,article,section,form,fieldset,div,main").filter(place => clean(place.innerText).includes(words));
  places.sort((a, b) => a.innerText.length - b.innerText.length);
  return places;
};
const PRESSABLE = "button,a[href],summary,input[type=submit],[role=button]";
const pick = (list, name) => list.find(e => nameOf(e) === name) || list.find(e => nameOf(e).startsWith(name)) || list.find(e => nameOf(e).includes(name));

// A field by its id, its name or the beginning of its label.
const field = name => {
  const usable = e => e && e.type !== "hidden";
  const byId = document.getElementById(name);
  if (usable(byId) && "value" in byId) return byId;
  for (const label of all("label,legend")) {
    const text = clean(label.textContent);
    if (text === name || text.startsWith(name)) {
      const target = label.control || label.closest("fieldset,.field")?.querySelector("input:not([type=hidden]),select,textarea");
      if (usable(target)) return target;
    }
  }
  return all(`[name="${CSS.escape(name)}"]`).find(usable);
};
const labels = () => all("label,legend").map(e => clean(e.textContent)).join(" | ");
const mark = element => {
  element.scrollIntoView({ block: "center", inline: "nearest" });
  const box = [...element.getClientRects()].find(r => r.width > 0 && r.height > 0) || element.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  const free = top && (element.contains(top) || top.contains(element) || top.closest("label")?.control === element);
  return free ? { x, y } : { error: `something lies over "${nameOf(element)}": <${top ? top.tagName.toLowerCase() + " class=" + top.className : "nothing"}>` };
};

// Where to press for the thing called `name`, beside the words `near` if there are any.
function pressable(name, near) {
  const roots = near ? around(near) : [document];
  for (const root of roots) {
    const found = pick(all(PRESSABLE, root).filter(shown), name);
    if (found) return mark(found);
  }
  const names = all(PRESSABLE).filter(shown).map(nameOf).filter(Boolean);
  return { error: `nothing called "${name}"${near ? ` beside "${near}"` : ""} can be pressed; there are: ${names.join(" | ")}` };
}
function primary() {
  const found = all("main button.primary").find(shown);
  return found ? mark(found) : { error: "no primary action on this page" };
}
function focusField(name) {
  const found = field(name);
  if (!found) return { error: `no field "${name}"; there are: ${labels()}` };
  found.scrollIntoView({ block: "center" });
  found.focus();
  if (found.select && found.type !== "checkbox" && found.type !== "radio") found.select();
  return { value: found.value ?? "" };
}
function choose(name, option) {
  const found = field(name);
  if (!found) return { error: `no field "${name}"; there are: ${labels()}` };
  if (found.tagName === "SELECT") {
    const wanted = [...found.options].find(o => clean(o.text) === option || o.value === option) || [...found.options].find(o => clean(o.text).includes(option));
    if (!wanted) return { error: `"${name}" offers no "${option}" but: ${[...found.options].map(o => clean(o.text)).join(" | ")}` };
    found.value = wanted.value;
    found.dispatchEvent(new Event("change", { bubbles: true }));
    return {};
  }
  return { error: `"${name}" is no list to choose from` };
}
function tickPoint(name) {
  const boxes = all("input[type=checkbox],input[type=radio]");
  const nameFor = e => clean([...(e.labels || [])].map(l => l.textContent).join(" "));
  const found = boxes.find(e => e.id === name) || boxes.find(e => nameFor(e) === name) || boxes.find(e => nameFor(e).startsWith(name)) || boxes.find(e => nameFor(e).includes(name));
  return found ? mark(found) : { error: `nothing called "${name}" can be ticked; there are: ${boxes.map(nameFor).join(" | ")}` };
}
const words = () => clean(document.body ? document.body.innerText : "");
const valueOf = name => { const found = field(name); return found ? found.value : null; };
const address = () => location.pathname + location.search + location.hash;
const status = () => performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0;
const state = () => ({ old: !!window.__kepuOld, ready: document.readyState === "complete" });
const age = () => { window.__kepuOld = true; };

// Bytes that came over the network for this page without images.
function weight() {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return entries.filter(e => e.initiatorType !== "img" && !/\.(svg|png|jpe?g|webp)/.test(e.name)).reduce((sum, e) => sum + (e.encodedBodySize || 0), 0);
}
// How far the page is wider than the window, and who makes it so. What lies in a frame that scrolls by itself is not asked.
function overflow() {
  const width = document.documentElement.clientWidth;
  const over = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - width;
  if (over <= 0) return null;
  const inFrame = e => { for (let p = e.parentElement; p; p = p.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX)) return true; return false; };
  const wide = all("body *").filter(e => e.getBoundingClientRect().right > width + 0.5 && !inFrame(e) && shown(e));
  return `${over} px wider than the window: ${wide.slice(-3).map(e => `<${e.tagName.toLowerCase()} class="${e.className}"> ${clean(e.innerText).slice(0, 40)}`).join(" ; ")}`;
}
const FOCUSABLE = "a[href],button:not([disabled]),input:not([type=hidden]):not([disabled]),select:not([disabled]),textarea:not([disabled]),summary,[tabindex='0']";
// Gives each thing a keyboard must reach a number; of radio buttons with one name one is enough.
function numberStops() {
  const radios = new Set();
  const stops = all(FOCUSABLE).filter(e => {
    if (e.tabIndex < 0) return false;
    const closed = e.closest("details:not([open])");
    if (closed && e !== closed.querySelector("summary")) return false;
    if (e.type === "radio") { if (radios.has(e.name)) return false; radios.add(e.name); }
    return shown(e) || (e.classList.contains("skip") && getComputedStyle(e).display !== "none");
  });
  stops.forEach((e, n) => e.setAttribute("data-stop", n));
  return stops.map(e => `<${e.tagName.toLowerCase()}> ${nameOf(e).slice(0, 40)}`);
}
// What has the focus now, and whether one can see that.
function focus() {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const outlined = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const radio = e.type === "radio" ? document.querySelector(`input[type=radio][name="${CSS.escape(e.name)}"][data-stop]`) : null;
  const why = [outlined ? "" : `its outline is ${style.outline}`, inside ? "" : `it lies at ${Math.round(box.left)},${Math.round(box.top)} in ${innerWidth}x${innerHeight}`].filter(Boolean).join(", ");
  return { why, stop: (radio || e).getAttribute("data-stop"), name: `<${e.tagName.toLowerCase()}> ${nameOf(e).slice(0, 40)}`, seen: outlined && inside, skip: e.classList.contains("skip") };
}
// Language, title, headings: what a page must have whatever it is about.
function bones() {
  return {
    lang: document.documentElement.lang, title: document.title, h1: all("h1").length, main: all("main").length,
    styles: all("[style]").filter(e => !e.closest(".uplot")).length, handlers: all("*").filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
    tokens: all("form").filter(f => f.method === "post" && !f.querySelector("[name=_once]") && !/^.(settings|login|logout|account.close|audit.verify|check|check.picture|check.link|c.[^/]+.[^/]+.useful)$/.test(f.getAttribute("action"))).map(f => f.getAttribute("action")),
  };
}

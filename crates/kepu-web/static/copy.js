// Copies the text of a field with one tap. Without it the field is there to be selected.
(() => {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const field = document.getElementById(button.dataset.copy);
      const said = button.parentElement.querySelector('[role=status]');
      try {
        await navigator.clipboard.writeText(field.value);
        said.textContent = button.dataset.done;
      } catch {
        field.select();
      }
    });
  }
})();

// Keys for the desk of duty editors. Without this file every deed has its button and its link.
(() => {
	"use strict";
	const rows = [...document.querySelectorAll("[data-row]")];
	const help = document.getElementById("keys");
	const at = () => rows.indexOf(document.activeElement && document.activeElement.closest("[data-row]"));
	const move = step => {
		if (!rows.length) return;
		const now = at();
		const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + step));
		rows[next].focus();
		rows[next].scrollIntoView({ block: "nearest" });
	};
	const press = name => {
		const row = rows[at()];
		const target = row && row.querySelector(`[data-${name}]`);
		if (target) target.click();
		return Boolean(target);
	};
	const keys = {
		j: () => move(1), k: () => move(-1),
		o: () => press("open"), m: () => press("merge"), s: () => press("split"),
		Enter: () => document.activeElement === rows[at()] && press("go"),
		"?": () => { help.open = !help.open; if (help.open) help.querySelector("summary").focus(); },
	};
	addEventListener("keydown", event => {
		if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
		if (event.target.closest("input, textarea, select")) return;
		const deed = keys[event.key];
		if (!deed) return;
		// Enter on a link or button is the browser's own.
		if (event.key === "Enter" && document.activeElement !== rows[at()]) return;
		event.preventDefault();
		deed();
	});
})();

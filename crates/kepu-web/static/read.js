// Reads the script of a text aloud with the voices of the device. Without a Chinese voice or without this file the page loses nothing:
// the script can be downloaded.
(() => {
	"use strict";
	const box = document.querySelector("[data-spoken]");
	const speech = window.speechSynthesis;
	if (!box || !speech) return;
	const words = box.dataset;
	const button = document.createElement("button");
	button.type = "button";
	button.className = "btn";
	let lines = null, at = 0, on = false;
	const show = () => {
		button.textContent = on ? words.stop : words.play;
		button.setAttribute("aria-pressed", String(on));
	};
	const next = () => {
		if (!on || !lines || at >= lines.length) {
			on = false;
			at = 0;
			return show();
		}
		const sentence = new SpeechSynthesisUtterance(lines[at]);
		sentence.lang = words.lang;
		sentence.rate = Number(words.rate) || 1;
		sentence.onend = () => { if (on) { at += 1; next(); } };
		sentence.onerror = () => { on = false; show(); };
		speech.speak(sentence);
	};
	button.addEventListener("click", async () => {
		on = !on;
		show();
		if (!on) return speech.cancel();
		if (!lines) {
			try {
				const answer = await fetch(words.spoken);
				if (!answer.ok) throw new Error(String(answer.status));
				lines = (await answer.text()).split("\n").filter(Boolean);
			} catch {
				on = false;
				return show();
			}
		}
		next();
	});
	addEventListener("pagehide", () => speech.cancel());
	show();
	box.prepend(button);
})();

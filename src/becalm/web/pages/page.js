"use strict";
// The page asks its own program on this machine, and nobody else. The key is kept for this tab alone.
(() => {
  const work = document.getElementById("work");
  const meta = document.querySelector('meta[name="becalm-key"]');
  if (meta) {
    sessionStorage.setItem("key", meta.content);
    meta.remove();
    history.replaceState(null, "", "/");
  }
  const key = sessionStorage.getItem("key");
  const state = { reviewer: sessionStorage.getItem("reviewer") || "", keys: true, order: [], person: -1, question: "", filters: [], text: "", everything: false, questions: [], mine: {}, view: "" };

  const say = (text) => { document.getElementById("status").textContent = text; };
  const fail = (text) => { document.getElementById("wrong").textContent = text; };

  async function call(name, body) {
    let answer;
    try {
      answer = await fetch(`/call/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
    } catch (error) {
      fail("The program does not answer. Nothing was saved. Start becalm open again.");
      throw error;
    }
    if (answer.status === 403) { refused(); throw new Error("refused"); }
    const told = await answer.json();
    if (!answer.ok) { fail(told.error); throw new Error(told.error); }
    fail("");
    return told;
  }

  function refused() {
    document.getElementById("menu").hidden = true;
    work.innerHTML = "<h1>Refused</h1><p>Open the address that <code>becalm open</code> printed. It works once, in one tab.</p>";
  }

  function show(html, view) {
    if (view !== state.view) say("");
    state.view = view;
    work.innerHTML = html;
    for (const each of work.querySelectorAll(".scroll")) {
      each.tabIndex = 0;
      each.setAttribute("role", "region");
      each.setAttribute("aria-label", each.querySelector("svg") ? "Figure" : "Table");
    }
    const figure = work.querySelector("svg");
    if (figure) {
      figure.setAttribute("role", "group");
      figure.setAttribute("aria-label", "Figure of all rows over time. Arrow keys go from mark to mark, Enter opens the row of one.");
      marks().forEach((each, at) => {
        each.setAttribute("tabindex", at ? "-1" : "0");
        const row = rowOf(each);
        each.setAttribute("aria-label", row ? `Day ${[...row.cells].map((cell) => cell.textContent).filter(Boolean).join(", ")}` : "mark");
      });
    }
    document.title = view === "patient" ? "Patient – becalm" : `${view[0].toUpperCase()}${view.slice(1)} – becalm`;
    document.getElementById("who").textContent = state.reviewer ? `Reviewer: ${state.reviewer}` : "";
  }

  const marks = () => [...work.querySelectorAll("svg a")];
  const rowOf = (mark) => document.getElementById((mark.getAttribute("href") || "").slice(1));

  async function start() {
    const told = await call("start", {});
    state.questions = told.questions;
    document.getElementById("illustrative").hidden = !told.illustrative;
    show(told.html, "start");
    document.getElementById("menu").hidden = !state.reviewer;
    document.getElementById("reviewer").value = state.reviewer;
    document.getElementById("keys").checked = state.keys;
    document.getElementById("reviewer").focus();
  }

  async function list(first = 0) {
    const told = await call("patients", { reviewer: state.reviewer, filters: state.filters, text: state.text, first });
    state.order = told.order;
    show(told.html, "list");
    work.focus();
  }

  function unanswered(mine) {
    const open = state.questions.find((each) => !mine[each.name]);
    return (open || state.questions[0]).name;
  }

  async function patient(person, question) {
    const ask = (name) => call("patient", { person, reviewer: state.reviewer, question: name, everything: state.everything });
    const moved = person !== state.person;
    let told = await ask(question || state.questions[0].name);
    const wanted = question || unanswered(told.mine);
    if (wanted !== (question || state.questions[0].name)) told = await ask(wanted);
    state.person = person;
    state.question = wanted;
    state.mine = told.mine;
    show(told.html, "patient");
    if (moved) { say(""); window.scrollTo(0, 0); }
    work.focus({ preventScroll: true });
  }

  async function answer(word) {
    const confidence = document.getElementById("confidence").value;
    const comment = document.getElementById("comment").value;
    const told = await call("answer", { person: state.person, reviewer: state.reviewer, question: state.question, answer: word, confidence: word ? confidence : "", comment: word ? comment : "" });
    if (word) state.mine[state.question] = { answer: word, confidence, comment }; else delete state.mine[state.question];
    for (const each of work.querySelectorAll("[data-answer]")) {
      if (each.dataset.answer) each.setAttribute("aria-pressed", String(each.dataset.answer === word));
      else each.disabled = !word;
    }
    const title = state.questions.find((each) => each.name === state.question).title;
    work.querySelector(`[data-question="${state.question}"]`).textContent = word ? `${title}: ${word}` : title;
    say(word ? `Saved: ${title}, ${word} (row ${told.row})` : `Taken back: ${title} (row ${told.row})`);
  }

  function move(where) {
    if (where === "question") {
      const at = state.questions.findIndex((each) => each.name === state.question);
      return patient(state.person, state.questions[(at + 1) % state.questions.length].name);
    }
    const order = state.order.length ? state.order : [state.person];
    const at = order.indexOf(state.person) + (where === "next" ? 1 : -1);
    if (at < 0 || at >= order.length) { say(where === "next" ? "This was the last patient of the list." : "This is the first patient of the list."); return undefined; }
    return patient(order[at]);
  }

  async function words() {
    const told = await call("words", { reviewer: state.reviewer });
    show(told.html, "words");
    work.focus();
  }

  async function word(form, onlyCheck) {
    const told = form.querySelector(".told");
    const body = { reviewer: state.reviewer, kind: form.dataset.kind, label: form.dataset.label, means: form.means.value, only_check: onlyCheck };
    const answer = await fetch("/call/word", { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${key}` }, body: JSON.stringify(body) }).catch(() => null);
    if (!answer) { fail("The program does not answer. Nothing was saved. Start becalm open again."); return; }
    const result = await answer.json();
    told.textContent = !answer.ok ? result.error : onlyCheck ? "This can be saved." : `Saved: ${form.means.value}`;
    form.means.setAttribute("aria-invalid", String(!answer.ok));
  }

  const entryState = { sheet: "labs", person_id: "", row: "" };

  async function entry(change) {
    Object.assign(entryState, change);
    const told = await call("rows", { reviewer: state.reviewer, ...entryState });
    show(told.html, "entry");
    const first = work.querySelector(entryState.row ? "#row input:not([readonly]), #row select" : "#whose");
    first.focus();
  }

  const fields = (form) => [...form.querySelectorAll("[data-was]")];

  async function saveRow(form, how) {
    const cells = (get) => Object.fromEntries(fields(form).map((each) => [each.name, get(each)]));
    const body = { reviewer: state.reviewer, sheet: form.dataset.sheet, row: form.dataset.row, before: form.dataset.row ? cells((each) => each.dataset.was) : {}, after: cells((each) => each.value), reason: form.elements.__reason.value, ...how };
    const told = await call("row", body);
    if (how && how.only_check) {
      const lines = [...told.wrong, ...told.notes.map((each) => `Would not be used: ${each}.`)];
      document.getElementById("checks").textContent = lines.length ? [...lines, ...(told.wrong.length ? [] : ["It can be saved."])].join(" ") : "This can be saved.";
      return;
    }
    await entry({ row: "" });
    say(told.told);
  }

  const go = { start, list, words, entry: () => entry({ person_id: personId() || entryState.person_id, row: "" }) };
  const personId = () => (state.view === "patient" ? work.querySelector("h1").textContent : "");


  document.addEventListener("click", (event) => {
    const link = event.target.closest("svg a");
    if (link) {
      event.preventDefault();
      const row = rowOf(link);
      if (row) open(row, link);
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    const data = button.dataset;
    if (data.show === "rows") call("show-rows", { reviewer: state.reviewer, sheet: entryState.sheet, person_id: entryState.person_id }).then(() => entry({})).catch(() => {});
    else if (data.show === "drugs") call("show-drugs", { reviewer: state.reviewer }).then(words).catch(() => {});
    else if (data.edit !== undefined) entry({ row: data.edit });
    else if (data.leave) saveRow(button.closest("form"), { leave_out: true }).catch(() => {});
    else if (data.guess) { const form = button.closest("form"); form.means.value = data.guess; word(form, false); } else if (data.go) go[data.go]();
    else if (data.person) patient(Number(data.person));
    else if (data.first) list(Number(data.first));
    else if (data.question) patient(state.person, data.question);
    else if (data.move) move(data.move);
    else if (data.answer !== undefined) answer(data.answer);
  });

  let opener = null;

  function open(row, mark) {
    opener = mark;
    say("");
    for (const each of work.querySelectorAll("tr.opened")) each.classList.remove("opened");
    row.classList.add("opened");
    row.tabIndex = -1;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    if (form.id === "begin") {
      state.reviewer = form.reviewer.value.trim();
      if (!state.reviewer) return;
      sessionStorage.setItem("reviewer", state.reviewer);
      document.getElementById("menu").hidden = false;
      list();
    } else if (form.id === "choose") {
      entry({ sheet: form.sheet.value, person_id: form.whose.value.trim(), row: "" });
    } else if (form.id === "row") {
      saveRow(form).catch(() => {});
    } else if (form.id === "save-as") {
      call("save-as", { reviewer: state.reviewer, name: form.elements.name.value }).then((told) => say(told.told)).catch(() => {});
    } else if (form.classList.contains("word")) {
      word(form, false);
    } else if (form.id === "filter") {
      state.filters = [...form.querySelectorAll("[name=filter]:checked")].map((each) => each.value);
      state.text = form.text.value;
      list();
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "keys") state.keys = event.target.checked;
    if (event.target.id === "everything") { state.everything = event.target.checked; patient(state.person, state.question); }
    if (["confidence", "comment"].includes(event.target.id) && state.mine[state.question]) answer(state.mine[state.question].answer);
  });

  let typing = 0;
  document.addEventListener("input", (event) => {
    const row = event.target.closest("form#row");
    if (row) { clearTimeout(typing); typing = setTimeout(() => saveRow(row, { only_check: true }).catch(() => {}), 300); return; }
    const form = event.target.closest("form.word");
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => { if (form.means.value.trim()) word(form, true); }, 250);
  });

  document.addEventListener("keydown", (event) => {
    if (state.view !== "patient" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName)) return;
    const mark = event.target.closest && event.target.closest("svg a");
    if (mark) {
      const all = marks();
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = all[all.indexOf(mark) + step];
      if (next) {
        event.preventDefault();
        mark.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
        return;
      }
    }
    if (event.key === "Escape" && opener && event.target.matches("tr.opened")) { opener.focus(); return; }
    if (!state.keys) return;
    const number = Number(event.key);
    const answers = [...work.querySelectorAll("[data-answer]")].filter((each) => each.dataset.answer);
    if (number >= 1 && number <= answers.length) { event.preventDefault(); answer(answers[number - 1].dataset.answer); }
    const moves = { q: "question", n: "next", p: "before" };
    if (moves[event.key]) { event.preventDefault(); move(moves[event.key]); }
    if (event.key === "l") { event.preventDefault(); list(); }
  });

  if (key) start(); else document.getElementById("refused").hidden = false;
})();

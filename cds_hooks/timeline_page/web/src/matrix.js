// The table of lesions by studies: a grid that arrow keys walk and Enter opens.
import { el, folded } from "./dom.js";
import { indicatorMark, indicatorText, legend, mark, sizeText, visibilityText } from "./marks.js";
import { dayOf, t } from "./texts.js";
import { bands, chip } from "./treatments.js";

export function matrix(document, selected, open) {
  if (!document.lesions.length) return el("p", { class: "quiet" }, t("matrix.none"));
  const { slots, undated } = bands(document);
  const after = slots.at(-1).length > 0;
  const grid = el("table", { class: "matrix", role: "grid", "aria-labelledby": "matrix-title", "aria-describedby": "matrix-how" },
    el("thead", {}, band(slots, after), heads(document, after)),
    el("tbody", {}, document.lesions.map((lesion) => row(lesion, document, after, selected.includes(lesion.id)))));
  walk(grid, open);
  return el("div", {},
    el("p", { id: "matrix-how", class: "hint" }, t("matrix.how")),
    el("div", { class: "matrix-box" }, grid),
    undated.length > 0 && el("p", { class: "hint" }, t("matrix.undated", { what: undated.map((one) => one.text).join("; ") })),
    folded(t("matrix.legend"), legend()));
}

function band(slots, after) {
  const cell = (given) => el("td", {}, given.length > 0 && el("ul", {}, given.map(chip)));
  return el("tr", { class: "band" }, el("th", { scope: "row" }, t("matrix.treatments")), slots.slice(0, -1).map(cell),
    after && cell(slots.at(-1)), el("td", {}), el("td", {}));
}

function heads({ studies, unread }, after) {
  return el("tr", {}, el("th", { scope: "col" }, t("matrix.lesion")), studies.map((study) => studyHead(study, unread)),
    after && el("th", { scope: "col" }, t("matrix.after")),
    el("th", { scope: "col" }, t("matrix.status")), el("th", { scope: "col" }, t("matrix.advice")));
}

function studyHead(study, unread) {
  const adequacy = study.adequacy?.value ? t("matrix.adequacy", { value: study.adequacy.text ?? study.adequacy.value }) : t(unread ? "matrix.adequacyNotRead" : "matrix.noAdequacy");
  return el("th", { scope: "col", class: "study" },
    el("b", { class: "day" }, dayOf(study)), " ",
    el("span", { class: "modality" }, study.modalityText ?? study.modality ?? t("modality.none")), " ",
    study.agent && [el("small", {}, study.agent), " "],
    el("small", {}, adequacy),
    study.final === false && [" ", el("small", { class: "flag" }, t("matrix.notFinal"))],
    study.synthetic && [" ", el("small", { class: "flag" }, t("matrix.noReport"))],
    study.unmatched > 0 && [" ", el("small", { class: "flag" }, t("matrix.unmatched", { n: study.unmatched }))]);
}

function row(lesion, document, after, selected) {
  const segment = lesion.segment ? t("matrix.segment", { segment: (lesion.segments?.length ? lesion.segments : [lesion.segment]).join(", ") }) : t("matrix.noSegment");
  return el("tr", { "data-lesion": lesion.id, class: selected ? "selected" : null, "aria-selected": selected ? "true" : null },
    el("th", { scope: "row" }, el("b", {}, lesion.label), " ", el("small", {}, segment)),
    document.studies.map((study) => cell(lesion.cells[study.id])),
    after && el("td", {}),
    el("td", { class: "status" }, lesion.statusText),
    el("td", { class: "advice" }, advice(lesion.openAdvice)));
}

function cell(said) {
  const visibility = said?.visibility ?? "not-mentioned";
  const size = said ? sizeText(said) : null;
  return el("td", { class: `cell ${visibility}` }, mark(visibility), el("span", {}, visibilityText(visibility)), size && el("b", {}, size));
}

function advice(open) {
  if (!open.length) return t("matrix.noAdvice");
  return el("ul", {}, open.map((one) => el("li", { class: one.indicator }, indicatorMark(one.indicator), el("b", {}, indicatorText(one.indicator)), el("span", {}, one.summary))));
}

// One stop for Tab, then arrows (ARIA grid); every cell of a row opens its lesion.
function walk(grid, open) {
  const rows = [...grid.tBodies[0].rows].map((one) => [...one.cells]);
  let current = rows[0][0];
  for (const one of rows.flat()) one.tabIndex = -1;
  current.tabIndex = 0;
  const move = (to) => {
    if (!to) return;
    current.tabIndex = -1;
    current = to;
    current.tabIndex = 0;
    current.focus();
  };
  grid.addEventListener("click", ({ target }) => {
    const at = target.closest("tbody th, tbody td");
    if (!at) return;
    move(at);
    open(at.parentElement.dataset.lesion, at);
  });
  grid.addEventListener("keydown", (event) => {
    const line = current.parentElement.sectionRowIndex;
    const place = current.cellIndex;
    const forward = getComputedStyle(grid).direction === "rtl" ? -1 : 1;
    const moves = {
      ArrowRight: () => rows[line][place + forward], ArrowLeft: () => rows[line][place - forward],
      ArrowDown: () => rows[line + 1]?.[place], ArrowUp: () => rows[line - 1]?.[place],
      Home: () => (event.ctrlKey ? rows[0] : rows[line])[0], End: () => (event.ctrlKey ? rows.at(-1) : rows[line]).at(-1),
      PageDown: () => rows[Math.min(line + 8, rows.length - 1)][place], PageUp: () => rows[Math.max(line - 8, 0)][place],
    };
    if (event.key === "Enter" || event.key === " ") open(current.parentElement.dataset.lesion, current);
    else if (moves[event.key]) move(moves[event.key]());
    else return;
    event.preventDefault();
  });
}

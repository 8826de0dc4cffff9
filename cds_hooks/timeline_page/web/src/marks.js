// The shapes of what a study says: each differs in form, so that grey print and colour-blind eyes lose nothing.
import { el, svg } from "./dom.js";
import { millimetres, named, t } from "./texts.js";

const SHAPES = {
  "seen": () => [svg("circle", { cx: 8, cy: 8, r: 6, class: "solid" })],
  "sought-not-seen": () => [svg("circle", { cx: 8, cy: 8, r: 5.5, class: "hollow" }), svg("path", { d: "M3.2 12.8 12.8 3.2", class: "stroke" })],
  "indeterminate": () => [svg("path", { d: "M8 1.5 14.5 8 8 14.5 1.5 8Z", class: "hollow" }), svg("path", { d: "M8 1.5 14.5 8 8 14.5Z", class: "solid" })],
  "not-assessed": () => [svg("rect", { x: 2, y: 2, width: 12, height: 12, class: "hollow" }), svg("path", { d: "M2 14 14 2M2 8 8 2M8 14 14 8", class: "thin" })],
  "not-mentioned": () => [svg("path", { d: "M3 8H13", class: "thin dashed" })],
  "not-read": () => [svg("path", { d: "M3 8H13", class: "thin dashed" }), svg("path", { d: "M5.5 3.5 10.5 12.5M10.5 3.5 5.5 12.5", class: "thin" })],
  "contradicted": () => [svg("path", { d: "M8 1.5 15 14.5H1Z", class: "hollow" }), svg("path", { d: "M8 6V10M8 11.6V13", class: "stroke" })],
};
export const VISIBILITIES = Object.keys(SHAPES);

export function mark(visibility) {
  const shape = SHAPES[visibility] ?? SHAPES["not-assessed"];
  return svg("svg", { class: `mark ${visibility in SHAPES ? visibility : "not-assessed"}`, viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, shape());
}

const INDICATORS = {
  critical: () => [svg("path", { d: "M5 1H11L15 5V11L11 15H5L1 11V5Z", class: "solid" })],
  warning: () => [svg("path", { d: "M8 1.5 15.2 14.5H.8Z", class: "solid" })],
  info: () => [svg("circle", { cx: 8, cy: 8, r: 6.5, class: "hollow" }), svg("path", { d: "M8 7V12M8 4V5.5", class: "stroke" })],
};

export function indicatorMark(indicator) {
  return svg("svg", { class: `mark ${indicator}`, viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, (INDICATORS[indicator] ?? INDICATORS.info)());
}

export const indicatorText = (indicator) => named("indicator", indicator);

// What a cell says of size; null where it says nothing.
export function sizeText(cell) {
  if (cell.tooSmall) return t("size.small");
  if (cell.mm !== null && cell.mm !== undefined) return cell.exact === false ? t("size.about", { mm: millimetres(cell.mm).replace(/ mm$/, "") }) : millimetres(cell.mm);
  return cell.sizeText ?? null;
}

export const visibilityText = (visibility) => (VISIBILITIES.includes(visibility) ? t(visibility) : String(visibility));

export function legend() {
  return el("ul", { class: "legend", "aria-label": t("matrix.legend") },
    VISIBILITIES.map((one) => el("li", {}, mark(one), el("span", {}, el("b", {}, t(one)), ` ${t(`explain.${one}`)}`))));
}

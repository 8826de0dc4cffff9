// The cards with the evidence on both sides, what is missing and who can supply it, and every finding behind them.
import { render } from "../../../page/static/markdown.js";
import { el, folded, fresh, table } from "./dom.js";
import { indicatorMark, indicatorText } from "./marks.js";
import { resources } from "./panel.js";
import { t } from "./texts.js";

export function cards(document) {
  const labels = new Map(document.lesions.map((lesion) => [lesion.id, lesion.label]));
  return el("div", { class: "cards" },
    document.cards.length ? document.cards.map((one, place) => card(one, place, labels)) : el("p", { class: "quiet" }, t("cards.none")),
    findings(document, labels));
}

function card(one, place, labels) {
  const { card: sent } = one;
  const id = fresh("card");
  const weighed = one.weighed !== false && (one.evidenceFor.length > 0 || one.evidenceAgainst.length > 0);
  const whole = sent.detail && (weighed ? folded(t("cards.whole"), render(sent.detail)) : render(sent.detail));
  return el("article", { class: `card ${sent.indicator}`, "aria-labelledby": id, "data-card": place, tabindex: "-1" },
    el("p", { class: "indicator" }, indicatorMark(sent.indicator), indicatorText(sent.indicator)),
    el("h3", { id }, sent.summary),
    one.subjects.length > 0 && el("p", { class: "hint" }, `${t("cards.lesions")}: ${one.subjects.map((subject) => labels.get(subject) ?? subject).join(", ")}. ${t("cards.rules", { rules: one.rules.join(", ") })}.`),
    weighed && el("div", { class: "scales" }, side("cards.for", one.evidenceFor), side("cards.against", one.evidenceAgainst)),
    list("cards.missing", one.missing), list("cards.who", one.whoCanSupply),
    whole, suggestions(sent.suggestions), parameters(one.parameters), behind(one.sources));
}

const points = (lines) => el("ul", { class: "bullets" }, lines.map((line) => el("li", {}, render(line))));
const side = (key, lines) => el("section", {}, el("h4", {}, t(key)), lines.length ? points(lines) : el("p", {}, t("cards.noneFound")));
const list = (key, lines) => lines?.length > 0 && el("section", {}, el("h4", {}, t(key)), points(lines));
const behind = (tokens) => tokens?.length > 0 && el("div", {}, resources(tokens));

function suggestions(given) {
  if (!given?.length) return null;
  return el("section", {}, el("h4", {}, t("cards.suggestions")), el("ul", { class: "bullets" },
    given.map((one) => el("li", {}, one.label, one.isRecommended && el("em", {}, ` (${t("cards.recommended")})`)))));
}

function parameters(given) {
  if (!given?.length) return null;
  const rows = given.map((one) => [one.title ?? one.name, [one.value, one.unit].filter((part) => part !== null && part !== undefined).join(" "),
    el("span", { class: one.site ? "site" : null }, t(one.site ? "cards.site" : "cards.shipped")), one.source ?? ""]);
  return folded(t("cards.parameters"), table(t("cards.parameters"), [t("cards.parameter"), t("cards.value"), t("cards.setBy"), t("cards.source")], rows));
}

function findings({ findings: given }, labels) {
  if (!given.length) return null;
  const shown = (one) => (one.hiddenBy ? t("shown.hiddenBy", { rule: one.hiddenBy }) : t(`shown.${one.shown}`));
  const rows = given.map((one) => [one.rule, one.title, one.subject ? (labels.get(one.subject) ?? one.subject) : "", one.conclusion, shown(one)]);
  return folded(t("cards.findings", { n: given.length }),
    table(t("cards.findings", { n: given.length }), [t("cards.rule"), t("plots.note"), t("matrix.lesion"), t("cards.conclusion"), t("cards.shown")], rows));
}

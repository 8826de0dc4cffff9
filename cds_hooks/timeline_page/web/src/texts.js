// Every word that the page itself says; English is complete, another language may leave texts out.
import { de } from "./texts.de.js";
import { en } from "./texts.en.js";

export const languages = { en, de };
let language = "en";

export function speak(wanted) {
  const short = String(wanted ?? "").toLowerCase().split("-")[0];
  language = short in languages ? short : "en";
  document.documentElement.lang = language;
}

// The text of a key with its {places} filled in; a key without a text is a fault and says so.
export function t(key, values = {}) {
  const text = languages[language][key] ?? en[key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_whole, name) => String(values[name] ?? ""));
}

// The text of a code, or the code itself where the page does not know it.
export const named = (prefix, code) => (`${prefix}.${code}` in en ? t(`${prefix}.${code}`) : String(code));

export const number = (value) => new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);
export const millimetres = (mm) => (mm === null || mm === undefined ? t("size.none") : t("size.mm", { mm: number(mm) }));
export const percent = (value) =>
  `${new Intl.NumberFormat(language, { maximumFractionDigits: 1, signDisplay: "exceptZero" }).format(value)} %`;
export const dayOf = (thing) =>
  !thing?.day ? t("day.none") : thing.dayLast ? t("day.between", { from: thing.day, to: thing.dayLast }) : thing.day;

// What is not there: "not recorded" is said only of a record that was read.
export const absent = (document) => t(document.unread ? "unread" : "unknown");

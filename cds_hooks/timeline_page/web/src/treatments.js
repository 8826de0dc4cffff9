// The band above the table: every treatment stands over the first study that it came before.
import { el, whole } from "./dom.js";
import { dayOf, t } from "./texts.js";

// One list for every study and one for what follows the last; repeated cycles of one course are said once.
export function bands(document) {
  const dated = document.treatments.filter((one) => one.day).sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  const slots = [...document.studies, null].map((study) => ({ study, given: [] }));
  for (const one of dated) {
    const slot = slots.find(({ study }) => study?.day && one.day <= study.day) ?? slots.at(-1);
    slot.given.push(one);
  }
  const undated = document.treatments.filter((one) => !one.day);
  return { slots: slots.map(({ given }) => gathered(given)), undated };
}

function gathered(given) {
  const courses = new Map();
  for (const one of given) {
    const key = JSON.stringify([one.kind, one.text, one.status, one.draft]);
    const course = courses.get(key);
    if (course) Object.assign(course, { n: course.n + 1, to: one.dayLast ?? one.day });
    else courses.set(key, { ...one, n: 1, to: one.dayLast });
  }
  return [...courses.values()];
}

export function chip(course) {
  const planned = course.status === "planned" || course.draft;
  const text = course.n > 1 ? t("times", { text: course.text, n: course.n }) : course.text;
  return el("li", { class: `treatment ${course.kind}${planned ? " planned" : ""}` },
    el("b", {}, text), " ", el("span", { class: "days" }, whole(dayOf({ day: course.day, dayLast: course.to && course.to !== course.day ? course.to : null }))),
    planned && el("em", {}, ` ${t(course.draft ? "draft" : "planned")}`));
}

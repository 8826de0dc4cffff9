// One CDS Hooks card as an EHR shows it.
import { element, replace } from "./dom.js";
import { render } from "./markdown.js";

const INDICATORS = { critical: "Critical", warning: "Warning", info: "Information" };

export function cardElement(card, actions) {
  const titled = `card-${card.uuid}`;
  const box = element("article", { class: `card ${card.indicator}`, "aria-labelledby": titled });
  const feedback = element("p", { class: "feedback", role: "status" });
  box.append(
    element("p", { class: "indicator" }, INDICATORS[card.indicator] ?? card.indicator),
    element("h3", { id: titled }, card.summary),
  );
  if (card.detail) box.append(render(card.detail));
  const suggestions = card.suggestions ?? [];
  if (suggestions.length) box.append(suggestionList(card, suggestions, actions, feedback));
  for (const link of (card.links ?? []).filter((one) => one.type === "smart")) {
    const button = element("button", { type: "button", class: "quiet" }, link.label);
    button.addEventListener("click", () => actions.launch(link));
    box.append(element("p", { class: "links" }, button));
  }
  if (card.uuid) box.append(dismissal(card, actions, feedback, box));
  box.append(feedback, source(card.source));
  return box;
}

function suggestionList(card, suggestions, actions, feedback) {
  const items = suggestions.map((suggestion) => {
    const button = element("button", { type: "button" }, "Accept");
    button.setAttribute("aria-label", `Accept: ${suggestion.label}`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      button.textContent = "Accepted";
      report(feedback, "Order added", await actions.accept(card, suggestion));
    });
    const text = element("span", {}, element("strong", {}, suggestion.label));
    if (suggestion.isRecommended) text.append(element("em", {}, "recommended"));
    for (const { description } of suggestion.actions ?? []) {
      if (description && description !== suggestion.label) text.append(element("small", {}, description));
    }
    return element("li", {}, text, button);
  });
  return element("ul", { class: "suggestions", "aria-label": "Suggestions" }, ...items);
}

function dismissal(card, actions, feedback, box) {
  const reasons = card.overrideReasons ?? [];
  const options = reasons.map((reason, place) => element("option", { value: String(place) }, reason.display));
  const choice = element("select", {}, element("option", { value: "" }, "no reason given"), ...options);
  const comment = element("input", { type: "text", maxlength: "500", placeholder: "Comment (optional)", "aria-label": "Comment" });
  const button = element("button", { type: "submit", class: "quiet" }, "Dismiss");
  const form = element("form", { class: "dismissal" }, element("label", {}, "Override: ", choice), comment, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const { code, system, display } = reasons[Number(choice.value)] ?? {};
    const coding = choice.value === "" ? null : { code, system, display };
    report(feedback, "Dismissed", await actions.dismiss(card, coding, comment.value.trim()));
    box.classList.add("dismissed");
  });
  return form;
}

function report(place, done, status) {
  place.textContent = status === 200 ? `${done}; the service was told.` : `${done}; the service was not told (status ${status}).`;
}

function source(of) {
  const made = element("footer", { class: "source" }, "Source: ");
  const address = URL.canParse?.(of?.url ?? "") && /^https?:/.test(of.url) ? of.url : null;
  made.append(address ? element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, of.label) : (of?.label ?? "not named"));
  if (of?.topic?.display) made.append(element("span", {}, ` · ${of.topic.display}`));
  return made;
}

export function quietElement() {
  return element("p", { class: "quiet-answer" }, "The service answered and has nothing to say about this patient here.");
}

export function failureElement(problem, status, outcome) {
  const issues = outcome?.issue ?? [];
  const texts = problem ? [problem] : issues.map((issue) => issue.diagnostics ?? issue.code);
  const box = element("section", { class: "failure", role: "alert" });
  box.append(element("h3", {}, status ? `The service could not answer (${status})` : "No answer from the service"));
  replace(box, ...box.childNodes, ...(texts.length ? texts : ["No reason was given."]).map((text) => element("p", {}, text)));
  return box;
}

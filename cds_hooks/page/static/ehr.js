// The demo EHR's page: picks a patient, fires hooks at the CDS service from the browser, shows the cards.
import { authorise, launchAddress, callService, fetchPrefetch, loadServices, sendFeedback, start } from "./client.js";
import { cardElement, failureElement, quietElement } from "./cards.js";
import { element, replace } from "./dom.js";

const HOOKS = {
  "patient-view": "Open chart",
  "order-select": "Select order",
  "order-sign": "Sign order",
  "appointment-book": "Book appointment",
  "encounter-start": "Start encounter",
};
const ALWAYS = ["patient-view", "order-sign"];

const at = (id) => document.getElementById(id);
const state = { demo: null, services: new Map(), patient: null, orders: [], call: 0 };

async function begin() {
  try {
    state.demo = await start();
    state.services = await loadServices(state.demo.service, state.demo.signs);
  } catch (error) {
    replace(at("welcome"), element("h1", {}, "The service cannot be reached"), element("p", {}, error.message));
    return;
  }
  replace(at("patients"), ...state.demo.patients.map(patientItem));
  const asked = decodeURIComponent(location.hash.slice(1));
  const patient = state.demo.patients.find((one) => one.id === asked);
  if (patient) show(patient);
}

function patientItem(patient) {
  const button = element(
    "button",
    { type: "button", "data-patient": patient.id },
    element("strong", {}, patient.name),
    element("span", {}, patient.title),
  );
  button.addEventListener("click", () => {
    show(patient);
    at("chart").focus({ preventScroll: true });
    if (matchMedia("(max-width: 52rem)").matches) at("patient").scrollIntoView();
  });
  return element("li", {}, button);
}

function show(patient) {
  state.patient = patient;
  state.orders = draftsOf(patient);
  state.call += 1;
  location.replace(`#${encodeURIComponent(patient.id)}`);
  for (const button of at("patients").querySelectorAll("button")) {
    if (button.dataset.patient === patient.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  at("welcome").hidden = true;
  at("patient").hidden = false;
  at("answer").hidden = true;
  at("status").textContent = "";
  at("name").textContent = patient.name;
  at("story").textContent = patient.title;
  replace(at("facts"), ...pair("Born", patient.birthDate), ...pair("Record", patient.id));
  showOrders();
  showHooks(patient);
  at("timeline").hidden = !state.demo.timeline;
}

function pair(term, value) {
  return value ? [element("dt", {}, term), element("dd", {}, value)] : [];
}

function draftsOf(patient) {
  const bundles = Object.values(patient.contexts).flatMap((context) => [context.draftOrders, context.appointments]);
  return bundles.flatMap((bundle) => bundle?.entry ?? []).map((entry) => entry.resource);
}

function orderText(order) {
  const concept = order.code ?? order.medicationCodeableConcept ?? order.serviceType?.[0] ?? order.appointmentType;
  const text = concept?.text ?? concept?.coding?.[0]?.display ?? order.title ?? order.description;
  return order.doNotPerform ? `Stop: ${text || order.resourceType}` : text || order.resourceType;
}

function showOrders() {
  const items = state.orders.map((order) =>
    element("li", {}, element("span", {}, orderText(order)), element("small", {}, order.resourceType)),
  );
  replace(at("orders"), ...(items.length ? items : [element("li", { class: "none" }, "None")]));
}

function showHooks(patient) {
  const names = [...new Set([...ALWAYS, ...Object.keys(patient.contexts)])].filter((name) => state.services.has(name));
  const buttons = names.map((name) => {
    const button = element("button", { type: "button", "data-hook": name }, HOOKS[name] ?? name);
    if (!patient.contexts[name]) {
      button.disabled = true;
      button.title = "No unsigned order in this record";
    }
    button.addEventListener("click", () => fire(name));
    return button;
  });
  replace(at("hooks"), ...buttons);
}

function contextOf(hook) {
  const context = structuredClone(state.patient.contexts[hook]);
  if (context.draftOrders) context.draftOrders.entry = state.orders.map((resource) => ({ resource }));
  return context;
}

async function fire(hook) {
  const call = ++state.call;
  const service = state.services.get(hook);
  const data = new FormData(at("fire")).get("data");
  busy(true, "Reading the record and asking the service …");
  const answered = await ask(hook, service, data).catch((error) => ({ problem: error.message }));
  if (call !== state.call) return;
  busy(false, "");
  present(service, answered);
}

async function ask(hook, service, data) {
  const authorisation = await authorise(state.patient.id);
  const body = { hook, hookInstance: crypto.randomUUID(), context: contextOf(hook) };
  if (data !== "prefetch") Object.assign(body, { fhirServer: state.demo.fhir, fhirAuthorization: authorisation });
  if (data !== "fhir") {
    body.prefetch = await fetchPrefetch(service.prefetch, state.demo.fhir, state.patient.id, authorisation.access_token);
  }
  return callService(state.demo.service, service.id, body, state.demo.signs);
}

function busy(is, text) {
  for (const button of at("hooks").querySelectorAll("button")) {
    button.disabled = is || !state.patient.contexts[button.dataset.hook];
  }
  at("status").textContent = text;
}

function present(service, answered) {
  const { problem, status, milliseconds, document: reply } = answered;
  at("answer").hidden = false;
  if (problem || status !== 200) {
    at("status").textContent = "No answer: treat this patient as not assessed.";
    replace(at("cards"), failureElement(problem, status, reply));
  } else {
    const count = reply.cards.length;
    at("status").textContent = `${count} ${count === 1 ? "card" : "cards"} in ${milliseconds} ms`;
    const made = reply.cards.map((card) => cardElement(card, actionsOf(service)));
    replace(at("cards"), ...(made.length ? made : [quietElement()]));
  }
  showRaw(service, answered);
}

function actionsOf(service) {
  return {
    accept(card, suggestion) {
      for (const action of suggestion.actions ?? []) {
        if (action.type === "create") state.orders.push(action.resource);
      }
      showOrders();
      const item = { card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] };
      return sendFeedback(state.demo.service, service.id, item, state.demo.signs);
    },
    launch(link) {
      return openTimeline(link.appContext);
    },
    dismiss(card, coding, comment) {
      const item = { card: card.uuid, outcome: "overridden" };
      const overrideReason = {};
      if (coding) overrideReason.reason = coding;
      if (comment) overrideReason.userComment = comment;
      if (Object.keys(overrideReason).length) item.overrideReason = overrideReason;
      return sendFeedback(state.demo.service, service.id, item, state.demo.signs);
    },
  };
}

// A SMART launch: the address that the EHR makes names no patient, and goes to a window of its own.
async function openTimeline(context) {
  try {
    window.open(await launchAddress(state.patient.id, context), "_blank", "noopener");
  } catch (error) {
    at("status").textContent = error.message;
  }
}

function showRaw(service, { sent, status, document: reply }) {
  at("request-line").textContent = `POST /cds-services/${service.id}`;
  at("request").textContent = sent ? JSON.stringify(sent, hideToken, 2) : "not sent";
  at("response-line").textContent = status ? `Status ${status}` : "No response";
  at("response").textContent = reply ? JSON.stringify(reply, null, 2) : "";
}

function hideToken(key, value) {
  return key === "access_token" ? "(hidden)" : value;
}

at("timeline").querySelector("button").addEventListener("click", () => openTimeline());
begin();

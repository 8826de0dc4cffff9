// What an EHR does with HTTP: its own server for tokens and records, the CDS service for cards and feedback.

export async function start() {
  return (await fetch("/demo.json")).json();
}

export async function authorise(patient) {
  const answer = await fetch(`/authorise/${encodeURIComponent(patient)}`, { method: "POST" });
  if (!answer.ok) throw new Error("The demo EHR gave no access token.");
  return answer.json();
}

export async function launchAddress(patient, context) {
  const answer = await fetch(`/launch/${encodeURIComponent(patient)}`, { method: "POST", body: context ?? "" });
  if (!answer.ok) throw new Error("The demo EHR could not launch the lesion timeline.");
  return (await answer.json()).url;
}

// Who calls, for a service that asks: a token of the EHR for this one address.
async function identity(url, signs) {
  if (!signs) return {};
  const answer = await fetch(`/identify?${new URLSearchParams({ audience: url })}`, { method: "POST" });
  if (!answer.ok) throw new Error("The demo EHR gave no token for the service.");
  return { Authorization: `Bearer ${(await answer.json()).token}` };
}

const JSON_BODY = { "Content-Type": "application/json" };

export async function loadServices(base, signs) {
  const url = `${base}/cds-services`;
  const headers = await identity(url, signs);
  let answer;
  try {
    answer = await fetch(url, { headers });
  } catch {
    throw new Error(`The CDS service at ${base} does not answer.`);
  }
  if (!answer.ok) throw new Error(`The CDS service at ${base} answered discovery with status ${answer.status}.`);
  const { services } = await answer.json();
  return new Map(services.map((service) => [service.hook, service]));
}

// A key that could not be read is left out: the service must not take "not read" for "no data".
export async function fetchPrefetch(templates, base, patient, token) {
  const keys = Object.keys(templates ?? {});
  const read = keys.map((key) => fetchTemplate(templates[key], base, patient, token));
  const values = await Promise.all(read);
  return Object.fromEntries(keys.map((key, place) => [key, values[place]]).filter(([, value]) => value));
}

async function fetchTemplate(template, base, patient, token) {
  const [path, query] = template.replaceAll("{{context.patientId}}", patient).split("?");
  const params = (query ?? "").split("&").filter(Boolean).map((part) => {
    const place = part.indexOf("=");
    return [part.slice(0, place), part.slice(place + 1)];
  });
  const search = params.length ? `?${new URLSearchParams(params)}` : "";
  const answer = await fetch(`${base}/${path}${search}`, {
    headers: { Authorization: `Bearer ${token}`, Accept: "application/fhir+json" },
  });
  return answer.ok ? answer.json() : null;
}

export async function callService(base, id, body, signs) {
  const url = `${base}/cds-services/${id}`;
  const headers = { ...JSON_BODY, ...(await identity(url, signs)) };
  const began = performance.now();
  let answer;
  try {
    answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    return { sent: body, problem: `The CDS service at ${base} does not answer.` };
  }
  const milliseconds = Math.round(performance.now() - began);
  const document = await answer.json().catch(() => null);
  return { sent: body, status: answer.status, milliseconds, document };
}

export async function sendFeedback(base, id, item, signs) {
  const url = `${base}/cds-services/${id}/feedback`;
  const body = { feedback: [{ ...item, outcomeTimestamp: new Date().toISOString() }] };
  try {
    const headers = { ...JSON_BODY, ...(await identity(url, signs)) };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.status;
  } catch {
    return 0;
  }
}

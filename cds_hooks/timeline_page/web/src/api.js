// The service's endpoints. Nothing of the patient is ever in an address: every question is a POST.
import { t } from "./texts.js";

export const LIMIT_SECONDS = 90;
let csrf = "";

// What went wrong, in words to show; `session` is true where there is none or it is over.
export class Fault extends Error {
  constructor(texts, { session = false, status = 0 } = {}) {
    super(texts.join(" "));
    this.texts = texts;
    this.session = session;
    this.status = status;
  }
}

export async function openSession() {
  const session = await call("GET", "session");
  csrf = session.csrf;
  return session;
}

export async function ask(path, body = {}) {
  try {
    return await call("POST", path, body);
  } catch (fault) {
    // A new authorisation in another tab gives the session a new token.
    if (!(fault instanceof Fault) || fault.status !== 403) throw fault;
    await openSession();
    return call("POST", path, body);
  }
}

async function call(method, path, body) {
  const headers = { accept: "application/json" };
  if (method === "POST") Object.assign(headers, { "content-type": "application/json", "x-vestige-csrf": csrf });
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_SECONDS * 1000);
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), credentials: "same-origin", cache: "no-store",
      redirect: "error", signal: limit.signal,
    });
    text = await answer.text();
  } catch {
    throw new Fault([limit.signal.aborted ? t("failure.timeout", { seconds: LIMIT_SECONDS }) : t("failure.network")]);
  } finally {
    clearTimeout(timer);
  }
  const found = parsed(text);
  if (answer.ok && (found !== undefined || answer.status === 204)) return found;
  throw new Fault(reasons(found, answer.status), { session: answer.status === 401, status: answer.status });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasons(outcome, status) {
  const told = Array.isArray(outcome?.issue) ? outcome.issue.map((issue) => issue.diagnostics ?? issue.details?.text ?? issue.code) : (outcome?.problems ?? []);
  const texts = told.filter((one) => typeof one === "string" && one);
  return texts.length ? texts : [status < 400 ? t("failure.shape") : t("failure.status", { status })];
}

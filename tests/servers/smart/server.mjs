// A FHIR server behind an OpenID provider written by others (oidc-provider), with the claims of SMART App
// Launch: what is signed in, consented to and launched is decided by the launch's name, so that tests can say it.
//
// node server.mjs CONFIG.json: {port, redirect, scopes, clients, patient, other, context, bundle, tokenSeconds}
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const origin = `http://127.0.0.1:${config.port}`;
const base = `${origin}/fhir`;
const USER = "Practitioner/vestige-test-reader";
const launches = new Map(); // of a grant: what it was launched with
const asked = []; // every request, for tests that look at what was not asked
let switched = 0;

const provider = new Provider(origin, {
  clients: config.clients.map((one) => ({ redirect_uris: [config.redirect], response_types: ["code"], grant_types: ["authorization_code"], id_token_signed_response_alg: "RS256", ...one })),
  scopes: ["openid", ...config.scopes],
  claims: { openid: ["sub"], fhirUser: ["fhirUser"] },
  conformIdTokenClaims: false,
  extraParams: ["aud", "launch"],
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  cookies: { keys: ["a test needs no secret"] },
  ttl: { AccessToken: config.tokenSeconds ?? 3600, AuthorizationCode: 60, IdToken: 3600, Interaction: 600, Session: 600, Grant: 3600 },
  enabledJWA: { clientAuthSigningAlgValues: ["RS256", "RS384", "ES256", "ES384"] },
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, fhirUser: `${base}/${USER}` }) }),
  renderError: (ctx, out) => { ctx.type = "json"; ctx.body = out; },
});

// What SMART puts beside the token.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path !== "/token" || !ctx.body?.access_token) return;
  const launch = launches.get(ctx.oidc.entities.Grant.jti) ?? "";
  const other = launch.startsWith("switch") && switched++ > 0;
  if (!launch.startsWith("nobody")) ctx.body.patient = other ? config.other : config.patient;
  if (config.context) ctx.body.appContext = config.context;
  if (launch.startsWith("tampered")) ctx.body.id_token = ctx.body.id_token.slice(0, -8) + "AAAAAAAA";
});

async function signIn(request, response) {
  const details = await provider.interactionDetails(request, response);
  const launch = String(details.params.launch ?? "");
  const writes = String(details.params.scope).includes("Observation.c");
  if (launch.startsWith("refused") || (launch.startsWith("reads-only") && writes)) {
    return provider.interactionFinished(request, response, { error: "access_denied" });
  }
  if (details.prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "reader" } });
  }
  const grant = new provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  const grantId = await grant.save();
  launches.set(grantId, launch);
  return provider.interactionFinished(request, response, { consent: { grantId } });
}

const resources = config.bundle.entry.map((entry) => entry.resource);
let made = 0;

function fhir(request, response, path, body, token) {
  if (path === "/.well-known/smart-configuration") {
    return json(response, 200, {
      issuer: origin,
      jwks_uri: `${origin}/jwks`,
      authorization_endpoint: `${origin}/auth`,
      token_endpoint: `${origin}/token`,
      code_challenge_methods_supported: ["S256"],
      capabilities: ["launch-ehr", "launch-standalone", "client-public", "sso-openid-connect", "permission-v2"],
    });
  }
  if (!token) return json(response, 401, { resourceType: "OperationOutcome" });
  const [, kind, id] = path.split("/");
  if (request.method === "POST") {
    if (!token.scope.includes("patient/Observation.c")) return json(response, 403, { resourceType: "OperationOutcome" });
    const entry = JSON.parse(body).entry.map(({ resource }) => {
      resources.push({ ...resource, id: `made-${++made}` });
      return { response: { status: "201 Created", location: `${base}/${resource.resourceType}/made-${made}/_history/1` } };
    });
    return json(response, 200, { resourceType: "Bundle", type: "transaction-response", entry });
  }
  const found = resources.filter((one) => one.resourceType === kind && (!id || one.id === id));
  if (id) return found.length ? json(response, 200, found[0]) : json(response, 404, { resourceType: "OperationOutcome" });
  return json(response, 200, { resourceType: "Bundle", type: "searchset", entry: found.map((resource) => ({ resource, search: { mode: "match" } })) });
}

function json(response, status, document) {
  response.writeHead(status, { "Content-Type": "application/fhir+json" });
  response.end(JSON.stringify(document));
}

async function handle(request, response) {
  const path = new URL(request.url, origin).pathname;
  asked.push(`${request.method} ${path}`);
  if (path === "/asked") return json(response, 200, asked);
  if (path.startsWith("/sign-in/")) return signIn(request, response);
  if (!path.startsWith("/fhir")) return provider.callback()(request, response);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const bearer = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const token = bearer ? await provider.AccessToken.find(bearer) : undefined;
  return fhir(request, response, path.slice("/fhir".length), Buffer.concat(chunks).toString(), token);
}

createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) json(response, 500, { error: String(error) });
  });
}).listen(config.port, "127.0.0.1", () => console.log("listening"));

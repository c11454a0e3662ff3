import * as z from 'zod/mini';
import { type Consent, consents, forEachConsent } from '../consents.ts';
import { about, type SettingsSection } from '../section.ts';

const subjects = z.array(z.string());

function consentTo(what: Consent) {
  const { about: description, example, takesTrue } = consents[what];
  const must = `must be a list of what its condition prints, such as ["${example}"]`;
  return about(
    description,
    takesTrue ? z.union([subjects, z.boolean()], must) : z.array(z.string(must), must),
  );
}

const schema = about(
  'The dangerous changes that Slipway may make. The condition that waits for a consent prints the line to add. The line allows only this change, and has no further effect after it.',
  z.strictObject(forEachConsent(consentTo)),
);

export const consent = {
  schema: schema,
  defaults: forEachConsent(() => []),
} as const satisfies SettingsSection<typeof schema>;

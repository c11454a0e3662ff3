import * as z from 'zod/mini';
import { text } from '../../settings/forms.ts';
import { about } from '../../settings/section.ts';

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const timeOfDay = text(/^([01]\d|2[0-3]):[0-5]\d$/, "be a time of day such as '01:00', in quotes");

const timeZone = z
  .string('must be the name of a time zone such as Europe/Berlin')
  .check(z.refine(isTimeZone, { error: 'must be the name of a time zone such as Europe/Berlin or UTC' }));

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The form of a window in which interruptions may begin. */
export const maintenanceWindow = z.strictObject({
  days: about(
    'The days on which the window begins; by default every day.',
    z.optional(z.array(z.enum(weekdays))),
  ),
  from: about('The time at which the window begins.', timeOfDay),
  to: about('The time at which it ends; a time before `from` is on the next day.', timeOfDay),
  timeZone: about('The time zone of both times; UTC by default.', z.optional(timeZone)),
});

/** The form of a number of agents, or of a share of all agents. */
export const concurrency = z.union(
  [z.int().check(z.positive()), z.string().check(z.regex(/^([1-9]\d?|100)%$/))],
  'must be a number of agents above zero, or a percentage such as 10%',
);

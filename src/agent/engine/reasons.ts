/**
 * The reasons of conditions, errors and log lines, by name. Each folder that defines reasons lists them in a
 * `reasons.ts` (the engine in `own-reasons.ts`), and vocabulary.ts adds all of them here, so that a misspelt reason
 * does not compile.
 */
// biome-ignore lint/suspicious/noEmptyInterface: a type alias could not be added to
export interface Reasons {}

export type Reason = keyof Reasons;

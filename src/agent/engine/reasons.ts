/**
 * The reasons that a condition, an error or a log line can have, by name. Each owner has a table in a `reasons.ts`, and
 * vocabulary.ts adds them all, so that a misspelt reason does not compile.
 */
// biome-ignore lint/suspicious/noEmptyInterface: a type alias could not be added to
export interface Reasons {}

export type Reason = keyof Reasons;

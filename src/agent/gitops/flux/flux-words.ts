const longestFailure = 400;
const longestCause = 1_200;

/** Matches the line of an object that kustomize-controller lists after the cause, such as `Namespace/a configured`. */
const changed = /^\S+\/\S+ (created|configured|unchanged|deleted|skipped)$/;
/** Matches the marks with which flux begins a message (fluxcd/flux2 cmd/flux/log.go). */
const mark = /^[►✚◎✔✗⚠]/u;
const summary = /^bootstrap failed with \d+ health check failure/;

/**
 * Returns the causes in the output of flux on one line: every failure with the beginning of its text, such as
 * `source-controller: deployment not ready`; without a failure, the last message, at which flux was stopped. Omits
 * flux's final summary if it follows other failures, because the summary repeats them.
 */
export function causeIn(output: string): string {
  const messages = messagesIn(output);
  const failures = messages.filter((message) => message.startsWith('✗')).map(textOf);
  const causes = failures.length > 1 ? failures.filter((failure) => !summary.test(failure)) : failures;
  return shortened((causes.length > 0 ? causes : messages.slice(-1).map(textOf)).join('; '), longestCause);
}

/** Splits an output at the marks; a message may have several lines. */
function messagesIn(output: string): readonly string[] {
  const messages: string[] = [];
  for (const line of output.split('\n').filter((line) => !changed.test(line.trim()))) {
    if (mark.test(line) || messages.length === 0) {
      messages.push(line);
    } else {
      messages.push(`${messages.pop()}\n${line}`);
    }
  }
  return messages;
}

function textOf(message: string): string {
  const text = message
    .replace(/^[^\s\w]+\s+/u, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return shortened(text, longestFailure);
}

function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

const longestFailure = 400;
const longestCause = 1_200;

/** Matches a line such as `Namespace/a configured`: kustomize-controller lists one per object after the cause. */
const changed = /^\S+\/\S+ (created|configured|unchanged|deleted|skipped)$/;
/** Matches the mark at the beginning of each message from flux (fluxcd/flux2 cmd/flux/log.go). */
const mark = /^[►✚◎✔✗⚠]/u;
const summary = /^bootstrap failed with \d+ health check failure/;

/**
 * Returns the causes in flux's output on one line: the beginning of each failure, such as `source-controller:
 * deployment not ready`; if there is no failure, the last message, which shows where flux stopped. Omits flux's final
 * summary if other failures precede it, because it repeats them.
 */
export function causeIn(output: string): string {
  const messages = messagesIn(output);
  const failures = messages.filter((message) => message.startsWith('✗')).map(textOf);
  const causes = failures.length > 1 ? failures.filter((failure) => !summary.test(failure)) : failures;
  return shortened((causes.length > 0 ? causes : messages.slice(-1).map(textOf)).join('; '), longestCause);
}

/** Splits flux's output into messages, each of which begins with a mark and may have several lines. */
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

/** The largest number of redirects to follow for one request. */
export const mostRedirects = 5;

/** The reason why a redirect is not followed; with the target, if its protocol is the reason. */
export type RefusedRedirect =
  | { readonly because: 'too many' | 'no address' }
  | { readonly because: 'other protocol' | 'downgrade'; readonly to: URL };

/** Returns why a redirect is not followed, as the predicate of a sentence about the requested address. */
export function whyRefused(refused: RefusedRedirect): string {
  switch (refused.because) {
    case 'too many':
      return `redirects more than ${mostRedirects} times`;
    case 'no address':
      return 'redirects to something that is not a URL';
    case 'other protocol':
      return `redirects to ${refused.to.protocol}, which is not http or https`;
    case 'downgrade':
      return `redirects from https to ${refused.to.protocol}//${refused.to.host}, which is refused`;
  }
}

export interface Followed<Answer> {
  readonly answer: Answer;
  /** The address that answered. */
  readonly url: URL;
  /** The reason why the answer's redirect was not followed; absent if the answer does not redirect. */
  readonly refused?: RefusedRedirect;
}

/** The status and the headers of an answer that may be a redirect. */
interface Redirecting {
  readonly status: number;
  readonly headers: { readonly location?: string | undefined };
}

/**
 * Requests an address and follows up to five redirects to http or https, but never from https to http. Returns the last
 * answer and its URL; if that answer redirects too, also the reason why its redirect was not followed. Throws what
 * `ask` throws. Source: RFC 9110, section 15.4.
 */
export async function followRedirects<Answer extends Redirecting>(
  start: URL,
  ask: (url: URL) => Promise<Answer>,
): Promise<Followed<Answer>> {
  let url = start;
  for (let followed = 0; ; followed += 1) {
    const answer = await ask(url);
    const { location } = answer.headers;
    if (!redirects.includes(answer.status) || location === undefined) {
      return { answer, url };
    }
    const next = nextUrl(location, url, followed);
    if (!(next instanceof URL)) {
      return { answer, url, refused: next };
    }
    url = next;
  }
}

const redirects = [301, 302, 303, 307, 308];

function nextUrl(location: string, from: URL, followed: number): URL | RefusedRedirect {
  if (!URL.canParse(location, from.href)) {
    return { because: 'no address' };
  }
  const to = new URL(location, from);
  if (followed === mostRedirects) {
    return { because: 'too many' };
  }
  if (!['http:', 'https:'].includes(to.protocol)) {
    return { because: 'other protocol', to };
  }
  return from.protocol === 'https:' && to.protocol !== 'https:' ? { because: 'downgrade', to } : to;
}

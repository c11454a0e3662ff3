/**
 * Returns the text without the user names, passwords and queries of its URLs, which may be secret. The user name ends
 * at the last `@` before the path, as Go parses it (net/url).
 */
export function withoutLogins(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"']*@)?([^\s?"']*)(?:\?[^\s"']*)?/gi, '$1$2');
}

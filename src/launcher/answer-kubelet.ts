/**
 * `slipway credential-provider [--root DIR]`: the image credential provider that kubelet runs for a pull. It reads a
 * request on stdin, writes the answer to stdout, and writes an error to stderr in one line.
 *
 * Every pull waits for this process, so it answers with a stored login without loading the program or a stream. Source:
 * https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider
 */
import { readFileSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { complaint } from '../agent/parts/registry/answer/complaint.ts';
import { parseLogins } from '../agent/parts/registry/answer/logins.ts';
import { requestedServer } from '../agent/parts/registry/answer/request.ts';
import { responseFor } from '../agent/parts/registry/answer/response.ts';
import { nodePaths } from '../agent/paths.ts';
import type { Program } from './program.ts';
import { readStdin } from './stdin.ts';

/**
 * The longest time that this process may take, in milliseconds. Kubelet waits for a minute
 * (k8s.io/kubernetes/pkg/credentialprovider/plugin).
 */
const usualDeadline = 20_000;

/**
 * Answers the request, and resolves to the exit code: 0 with one JSON document on stdout, or 1 with an empty stdout and
 * an error on stderr. The caller has to end the process, since an HTTP request may still be under way.
 */
export async function answerKubelet(
  args: readonly string[],
  program: () => Promise<Program>,
  deadline = usualDeadline,
): Promise<number> {
  try {
    const root = rootOf(args);
    const server = requestedServer(readStdin(deadline));
    const answer = storedAnswer(server, root) ?? (await answerInTime(server, root, program, deadline));
    writeFileSync(1, `${answer}\n`);
    return 0;
  } catch (thrown) {
    refuse(thrown);
    return 1;
  }
}

/**
 * Returns the value of `--root`; `/` without it. Does not use the parser of the other commands, because that would load
 * the program.
 */
function rootOf(args: readonly string[]): string {
  const [option, root, ...rest] = args;
  if (option === undefined) {
    return '/';
  }
  if (option === '--root' && root && rest.length === 0) {
    return root;
  }
  throw new Error('credential-provider takes --root DIR and nothing else; correct args in its config.yaml');
}

function storedAnswer(server: string, root: string): string | undefined {
  return responseFor(parseLogins(storeText(root)), server, Date.now());
}

/** The largest login store that is read, in bytes; a login has a few thousand. */
const largestStore = 4 * 1024 * 1024;

/**
 * Returns the text of the login store; empty if the file is missing, not private, unreadable, larger than 4 MiB or not
 * a regular file. The program then fetches a login, or reports the reason.
 */
function storeText(root: string): string {
  const path = nodePaths(root).slipway.logins;
  try {
    const found = statSync(path);
    return found.isFile() && isPrivate(found) && found.size <= largestStore ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

/**
 * True for mode 0600 without special bits, and our own user and group. Repeats `isPrivate` of the program, which is not
 * loaded yet.
 */
function isPrivate({ mode, uid, gid }: Stats): boolean {
  return (mode & 0o7777) === 0o600 && uid === process.geteuid?.() && gid === process.getegid?.();
}

function answerInTime(
  server: string,
  root: string,
  program: () => Promise<Program>,
  deadline: number,
): Promise<string> {
  return Promise.race([tooLate(server, deadline), freshAnswer(server, root, program)]);
}

/** Rejects when this process is `deadline` milliseconds old. */
function tooLate(server: string, deadline: number): Promise<never> {
  const late = new Error(
    `no credential for ${server} within ${deadline / 1_000} s; see whether the metadata service and the registry answer`,
  );
  // Node warns about a negative time, and a busy machine can take longer than the deadline to reach this line.
  const rest = Math.max(deadline - process.uptime() * 1_000, 1);
  return new Promise((_, reject) => setTimeout(() => reject(late), rest));
}

async function freshAnswer(server: string, root: string, program: () => Promise<Program>): Promise<string> {
  const { freshLogins } = await program();
  const answer = responseFor(await freshLogins(server, root), server, Date.now());
  if (answer !== undefined) {
    return answer;
  }
  throw new Error(`the credential that ${server} gives is too short-lived to be used; it is not handed out`);
}

function refuse(thrown: unknown): void {
  try {
    writeFileSync(2, complaint(thrown));
  } catch {
    // Nothing reads stderr, so the message is lost.
  }
}

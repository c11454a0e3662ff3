/**
 * `slipway credential-provider [--root DIR]`: kubelet's image credential provider, which kubelet runs for a pull. It
 * reads a request on stdin, writes the answer to stdout, and writes an error to stderr in one line.
 *
 * A stored login is answered without the program, and without a stream: every pull waits for this.
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider
 */
import { readFileSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { complaint } from '../agent/parts/registry/answer/complaint.ts';
import { parseLogins } from '../agent/parts/registry/answer/logins.ts';
import { requestedServer } from '../agent/parts/registry/answer/request.ts';
import { responseFor } from '../agent/parts/registry/answer/response.ts';
import { nodePaths } from '../agent/paths.ts';
import type { Program } from './program.ts';
import { readStdin } from './stdin.ts';

/** Milliseconds of this process's life. Kubelet waits for a minute (k8s.io/kubernetes/pkg/credentialprovider/plugin). */
const usualDeadline = 20_000;

/**
 * Answers, and resolves to the exit code: 0 with one JSON document on stdout, 1 with nothing there. A request of it may
 * still be under way then, so the caller has to end the process.
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
 * Returns the value of --root; `/` without it. Parses by hand: the parser of the other commands is part of the program.
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

/** Bytes; a login has some thousands. */
const largestStore = 4 * 1024 * 1024;

/**
 * Returns the text of the login store; nothing if it is missing, not private, or cannot be read: the program then fetches
 * a login, or reports why not. Skips a pipe.
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

/** Decides as `isPrivate` of the program, which is not loaded yet: mode 0600 without special bits, own user and group. */
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

/** Rejects at the deadline. */
function tooLate(server: string, deadline: number): Promise<never> {
  const late = new Error(
    `no credential for ${server} within ${deadline / 1_000} s; see whether the metadata service and the registry answer`,
  );
  // Node warns of a negative time, and a busy machine can take longer than the deadline to come here.
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
    // Nothing reads it.
  }
}

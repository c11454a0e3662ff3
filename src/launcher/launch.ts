/**
 * The entry of the executable: what can be answered at once is answered here, before the program is loaded.
 *
 * The program lies beside it as an asset of the single executable, with V8's code cache of a run of it, so that
 * loading it takes milliseconds. Anything this file imports is paid for by every start.
 */
import { writeSync } from 'node:fs';
import { getRawAsset, isSea } from 'node:sea';
import { answerKubelet } from './answer-kubelet.ts';
import { powerfulVariables, withoutVariables } from './environment.ts';
import { isExecutable } from './executable.ts';
import { exitWith } from './exit-code.ts';
import { loadProgram, type Program } from './program.ts';
import { tellJournal } from './stderr.ts';
import { versionLine } from './version.ts';

launch();

function launch(): void {
  disarmEnvironment();
  const [command, ...rest] = process.argv.slice(2);
  if (rest.length === 0 && (command === 'version' || command === '--version')) {
    process.exitCode = printText(`${versionLine}\n`);
    return;
  }
  if (command === 'credential-provider') void answerKubelet(rest, loadedProgram).then(endProcess);
  else void exitWith(runProgram());
}

/** Waits for nothing that is still under way. */
function endProcess(exitCode: number): never {
  process.exit(exitCode);
}

/**
 * Starts over without the variables that must have no power here. Deleting them alone would be too late: Node has
 * acted on some of them by now. The process keeps its id, so systemd does not notice.
 */
function disarmEnvironment(): void {
  const names = powerfulVariables(process.env);
  if (names.length === 0) return;
  const instead = 'unset what is named, and use settings in its place, such as network.caFile';
  tellJournal(4, `ignored from the environment: ${names.join(', ')}; ${instead}`);
  // Else the execve writes the coverage of this first start.
  process.getBuiltinModule('node:v8').stopCoverage();
  // A failed execve ends the process, so the path is tried first: without /proc it is only what argv said.
  if (isSea() && isExecutable(process.execPath)) {
    const arguments_ = [process.argv0, ...process.argv.slice(2)];
    process.execve?.(process.execPath, arguments_, withoutVariables(process.env, names));
  }
  for (const name of names) delete process.env[name];
}

/** The exit code of a process whose reader may be gone, as SIGPIPE ends other tools (128 + 13), or whose disk is full. */
function printText(text: string): number {
  try {
    writeSync(1, text);
    return 0;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPIPE' ? 141 : 1;
  }
}

async function runProgram(): Promise<number> {
  return (await loadedProgram()).main(process.argv);
}

async function loadedProgram(): Promise<Program> {
  const loaded = await loadBundle();
  process.on('uncaughtException', loaded.endForUncaught);
  return loaded;
}

async function loadBundle(): Promise<Program> {
  if (!isSea()) return import('../commands/main.ts');
  return loadProgram(Buffer.from(getRawAsset('program')), Buffer.from(getRawAsset('cache'))).exports;
}

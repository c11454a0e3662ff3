/**
 * The entry of the executable: handles `version` and a stored login for kubelet at once, and loads the program for the
 * rest.
 *
 * The program is an asset of the single executable, with V8's code cache of an earlier run, so that it loads within
 * milliseconds. Every import of this file slows down every start.
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
  if (command === 'credential-provider') {
    void answerKubelet(rest, loadedProgram).then(endProcess);
  } else {
    void exitWith(runProgram());
  }
}

/** Ends the process without waiting for anything that is still under way. */
function endProcess(exitCode: number): never {
  process.exit(exitCode);
}

/**
 * Warns about variables that Slipway must ignore, and restarts the process without them. Deleting them would be too
 * late: Node has already acted on some of them. The process keeps its id, so systemd does not notice. Only deletes the
 * variables if Slipway runs from its sources, or if its executable cannot be run again.
 */
function disarmEnvironment(): void {
  const names = powerfulVariables(process.env);
  if (names.length === 0) {
    return;
  }
  const instead = 'unset them, and use settings instead, such as network.caFile';
  tellJournal(4, `ignored from the environment: ${names.join(', ')}; ${instead}`);
  // Otherwise execve would write the coverage of this first start.
  process.getBuiltinModule('node:v8').stopCoverage();
  // A failed execve ends the process, so the path is checked first: without /proc, Node takes it from argv.
  if (isSea() && isExecutable(process.execPath)) {
    const arguments_ = [process.argv0, ...process.argv.slice(2)];
    process.execve?.(process.execPath, arguments_, withoutVariables(process.env, names));
  }
  for (const name of names) {
    delete process.env[name];
  }
}

/**
 * Prints the text, and returns the exit code: 0, 141 (128 + 13, as after SIGPIPE) if the reader is gone, or 1 for
 * another error, such as a full disk.
 */
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
  if (!isSea()) {
    return import('../commands/main.ts');
  }
  return loadProgram(Buffer.from(getRawAsset('program')), Buffer.from(getRawAsset('cache'))).exports;
}

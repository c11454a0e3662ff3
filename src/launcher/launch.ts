/**
 * The entry of the executable: answers `version` at once, and kubelet if a usable login is stored. Loads the program
 * for everything else.
 *
 * The program is an asset of the single executable, with V8's code cache of an earlier run, so that it loads within
 * milliseconds. Every import of this file slows down every start.
 */
import { writeSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { getRawAsset, isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { answerKubelet } from './answer-kubelet.ts';
import { disarmEnvironment } from './disarm.ts';
import { exitWith } from './exit-code.ts';
import { loadProgram, type Program } from './program.ts';
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
    // The next start from the sources needs a third of the processor time, and the tests start them often.
    enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url)));
    return import('../commands/main.ts');
  }
  return loadProgram(Buffer.from(getRawAsset('program')), Buffer.from(getRawAsset('cache'))).exports;
}

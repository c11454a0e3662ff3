import { isSea } from 'node:sea';
import { canRun } from './can-run.ts';
import { powerfulVariables, withoutVariables } from './environment.ts';
import { tellJournal } from './stderr.ts';
import { versionLine } from './version.ts';

/**
 * Warns about variables that Slipway must ignore, and restarts the process without them. Deleting them would be too
 * late: Node has already acted on some of them. The process keeps its id, so systemd does not notice. If Slipway runs
 * from its sources or its executable cannot be run again, only deletes the variables; in the latter case, warns.
 */
export function disarmEnvironment(): void {
  const names = powerfulVariables(process.env);
  if (names.length === 0) {
    return;
  }
  const instead = 'unset them, and use settings instead, such as network.caFile';
  tellJournal(4, `ignored from the environment: ${names.join(', ')}; ${instead}`);
  const others = withoutVariables(process.env, names);
  // Deleted before any child starts, because Node passes NODE_V8_COVERAGE on to every child.
  for (const name of names) {
    delete process.env[name];
  }
  if (isSea()) {
    restartIn(others);
    tellJournal(
      4,
      `${process.execPath} cannot be run again without them here, so Node may obey some of them`,
    );
  }
}

/** Replaces this process with the same executable in another environment; returns if this is not possible. */
function restartIn(environment: Readonly<Record<string, string>>): void {
  // Without this, execve would write the coverage of this first start.
  process.getBuiltinModule('node:v8').stopCoverage();
  // Node aborts the process if execve fails, so the executable is tried first.
  if (canRun(process.execPath, environment, `${versionLine}\n`)) {
    process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], environment);
  }
}

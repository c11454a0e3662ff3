import { ok, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import type { K3sNode } from '../../node.ts';
import { howToFill } from './firewall-needs.ts';
import type { Port } from './ports.ts';

/** Returns the name of a port for ufw and firewalld, such as `6443/tcp`. */
export function nameOf({ number, protocol }: Port): string {
  return `${number}/${protocol}`;
}

/**
 * Returns the verdict on a firewall whose rules cannot be read, usually because only root may read them. Unread rules
 * are not reported as missing.
 */
export function rulesUnseen(name: string): Verdict {
  return skipped(`${name} is active, and shows its rules to root only: run sudo slipway doctor`);
}

/**
 * Returns a warning that names what the rules of ufw or firewalld lack, and the commands that add it; `ok` if they lack
 * nothing.
 */
export function judgeGrants(
  name: string,
  missing: readonly string[],
  commands: readonly string[],
  node: K3sNode | undefined,
): Verdict {
  if (missing.length === 0) {
    return ok(`${name} is active, and lets pass what K3s needs`);
  }
  return warning(
    `${name} is active and has no rule for ${missing.join(', ')}: nodes or pods may not reach each other.`,
    [...commands, ...howToFill(commands, node)].join('; '),
  );
}

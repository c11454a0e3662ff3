import { type Alarm, alarm, clockJump } from './alarm.ts';
import { askingOnceEachPass } from './engine/asking-once.ts';
import { type Condition, conditionsOf } from './engine/conditions.ts';
import type { Emit } from './engine/events.ts';
import type { Host } from './engine/host.ts';
import { isMet } from './engine/is-met.ts';
import { type Attempts, reconcile } from './engine/reconcile.ts';
import { forgetUnasked } from './engine/remembering.ts';
import type { Outcome } from './engine/resource.ts';
import { gather, inCare, type Knowledge, type Sources } from './knowledge.ts';
import { type NodeFacts, nodeFacts } from './node-facts.ts';
import { type PlanPorts, planNode } from './plan.ts';
import { settingsWarnings } from './settings/warnings.ts';
import { type Told, tellTransitions } from './transitions.ts';
import { conditionTypes } from './vocabulary.ts';
import { nextWake, type Wake } from './wake.ts';

const conditionOrder = { types: conditionTypes, quoted: 'NodeReady' } as const;

/** The results of one pass. */
export interface Report extends NodeFacts {
  readonly knowledge: Knowledge;
  readonly outcomes: readonly Outcome[];
  readonly conditions: readonly Condition[];
  readonly wake: Wake;
}

/** The times at which a pass began and ended, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The sources of an agent's knowledge, and the functions through which it plans, changes the machine and reports. */
export interface AgentPorts extends Sources {
  /** Returns the Host that uses the network settings in the knowledge. */
  readonly hostFor: (knowledge: Knowledge) => Host;
  readonly planPorts: (knowledge: Knowledge) => PlanPorts | undefined;
  readonly random: () => number;
  readonly emit: Emit;
}

export interface Agent {
  /**
   * Runs one pass: gathers the knowledge, plans the Resources and reconciles them. Emits outcomes, new warnings and
   * changed conditions.
   */
  pass(): Promise<Report>;
  /** Forgets earlier attempts and their delays, so that the next pass tries everything again. */
  forget(): void;
}

/**
 * Makes an agent. Between passes, the agent remembers only the last known values, the attempts at each Resource, and
 * the conditions and warnings that it has reported.
 */
export function createAgent(ports: AgentPorts): Agent {
  const attempts: Attempts = new Map();
  const beginPass = askingOnceEachPass();
  let knowledge: Knowledge | undefined;
  let conditions: readonly Condition[] = [];
  const told: Told = new Map();
  let warned: readonly string[] = [];
  return {
    forget: () => attempts.clear(),
    async pass() {
      const { emit, random } = ports;
      const before = knowledge?.tagged.value?.loaded;
      knowledge = await gather(ports, knowledge);
      // A change to the settings or the instance tags ends the delays after earlier failures.
      if (knowledge.tagged.value?.loaded !== before) {
        attempts.clear();
      }
      const host = beginPass(ports.hostFor(knowledge));
      const patient = await inCare(host, knowledge);
      const planPorts = ports.planPorts(patient);
      const plan = planNode(patient, planPorts, ports.paths);
      const warnings = [...inputWarnings(knowledge), ...(planPorts?.gitops.warnings ?? [])];
      warned = warnOnce(warnings, warned, emit);
      const onOutcome = (outcome: Outcome) => emit({ type: 'Settled', outcome });
      const outcomes = await reconcile(plan, { host, attempts, random: random(), onOutcome });
      const facts = await nodeFacts(host, patient.node.value, planPorts);
      const now = host.now();
      conditions = conditionsOf(outcomes, conditions, now, conditionOrder);
      tellTransitions(conditions, told, emit);
      forgetUnasked();
      const wake = nextWake(now, outcomes);
      return { knowledge: patient, outcomes, conditions, ...facts, wake };
    },
  };
}

function inputWarnings({ files, tagged }: Knowledge): readonly string[] {
  const loaded = tagged.value?.loaded ?? files.value;
  return [...(loaded ? settingsWarnings(loaded) : []), ...(tagged.value?.warnings ?? [])];
}

/** Logs each warning once, and again only after a pass without it. Returns the current warnings. */
function warnOnce(warnings: readonly string[], warned: readonly string[], emit: Emit): readonly string[] {
  for (const message of warnings) {
    if (!warned.includes(message)) {
      emit({ type: 'Warned', message });
    }
  }
  return warnings;
}

export interface RunOptions {
  readonly host: Host;
  readonly alarm: Alarm;
  readonly signal: AbortSignal;
  readonly publish: (report: Report, span: Span) => Promise<void>;
  readonly emit: Emit;
}

/**
 * Runs the daemon until its signal is aborted.
 *
 *     gather ──► plan ──► reconcile ──► publish ──► sleep ──╮
 *       ▲                                                   │ a check is due, or the alarm rings, for example on SIGHUP
 *       ╰───────────────────────────────────────────────────╯
 */
export async function run(agent: Agent, { host, alarm, signal, publish, emit }: RunOptions): Promise<void> {
  while (!signal.aborted) {
    const from = host.now();
    const report = await agent.pass();
    await publish(report, { from, to: host.now() });
    if (signal.aborted) {
      return;
    }
    emit({ type: 'Sleeping', until: report.wake.at, because: report.wake.because });
    const by = await alarm.sleepUntil(host, report.wake.at);
    if (by.length === 0 || signal.aborted) {
      continue;
    }
    emit({ type: 'Woken', by: by.join(', ') });
    // Both events end the delays after failures: an operator requests a retry by SIGHUP, and a wrong clock may have
    // caused the failures.
    if (by.includes('SIGHUP') || by.includes(clockJump)) {
      agent.forget();
    }
  }
}

/**
 * Runs passes until every Resource is settled, until one has failed and none has changed or is waiting, or until the
 * next pass would begin after `until` (epoch milliseconds). Returns the last report.
 */
export async function converge(agent: Agent, host: Host, until: number): Promise<Report> {
  const end = host.monotonic() + until - host.now();
  const sleeper = alarm();
  for (;;) {
    const report = await agent.pass();
    const { wake, outcomes } = report;
    const isOver = host.monotonic() + wake.at - host.now() > end;
    if (outcomes.every(isSettled) || isStuck(outcomes) || isOver) {
      return report;
    }
    if ((await sleeper.sleepUntil(host, wake.at)).includes(clockJump)) {
      agent.forget();
    }
  }
}

/** The reasons of waits that do not block, but that end soon. */
const underway: readonly string[] = ['InProgress', 'TurnAwaited', 'InTurn'];

function isSettled(outcome: Outcome): boolean {
  const isUnderway = outcome.state === 'Waiting' && underway.includes(outcome.reason);
  return outcome.state !== 'Changed' && !isUnderway && isMet(outcome);
}

/** True if a Resource has failed, and none was changed or is waiting. */
function isStuck(outcomes: readonly Outcome[]): boolean {
  const moving = outcomes.some(({ state }) => state === 'Changed' || state === 'Waiting');
  return !moving && outcomes.some(({ state }) => state === 'Failed');
}

import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { describe } from '../engine/describe.ts';
import type { Emit, Event } from '../engine/events.ts';
import type { Outcome } from '../engine/resource.ts';

export interface LogLine {
  readonly level: Level;
  /** The text for a kind of event; the fields contain the values of one event. */
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface EventLog {
  readonly emit: Emit;
  setLevel(level: string): void;
}

/**
 * Returns a log that writes each event as one line, with its time unless the sink adds the time. Details for developers
 * have the level debug.
 */
export function logEvents(sink: DestinationStream & { readonly hasTime: boolean }): EventLog {
  const formatters = { level: (level: string) => ({ level }) };
  const log = pino(
    { base: null, timestamp: sink.hasTime ? false : stdTimeFunctions.isoTime, formatters },
    sink,
  );
  return {
    emit: (event) => writeLine(log, lineOf(event)),
    setLevel(level) {
      log.level = level;
    },
  };
}

function writeLine(log: Logger, { level, message, fields }: LogLine): void {
  log[level](fields, message);
}

/** Returns the log line of an event. */
export function lineOf(event: Event): LogLine {
  switch (event.type) {
    case 'Started': {
      const { type, ...fields } = event;
      return { level: 'info', message: 'slipway started', fields };
    }
    case 'Warned':
      return { level: 'warn', message: 'warning', fields: { warning: event.message } };
    case 'Settled':
      return settledLine(event.outcome);
    case 'ConditionChanged': {
      const { type, status, reason, message } = event.condition;
      const fields = { condition: type, status, reason, ...(message && { message }) };
      return { level: status === 'False' ? 'error' : 'info', message: 'condition changed', fields };
    }
    case 'Sleeping':
      return {
        level: 'debug',
        message: 'sleeping',
        fields: { until: new Date(event.until).toISOString(), because: event.because },
      };
    case 'Woken':
      return { level: 'info', message: 'woken', fields: { by: event.by } };
    case 'Stopped':
      return { level: 'info', message: 'slipway stopped; the node stays as it is', fields: { by: event.by } };
  }
}

function settledLine(outcome: Outcome): LogLine {
  const { state, resource } = outcome;
  const { reason, message } = describe(outcome);
  const about = { resource: resource.id };
  if (state !== 'Changed') {
    return { level: 'debug', message: 'checked', fields: { ...about, state, reason, message } };
  }
  const changes = outcome.changes.map(
    ({ field, observed, desired }) => `${field}: ${observed ?? '-'} -> ${desired ?? '-'}`,
  );
  return { level: 'info', message: 'changed', fields: { ...about, did: message, changes } };
}

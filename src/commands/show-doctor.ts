/** `slipway doctor`: checks everything a Ready node depends on, and changes nothing. */
import { diagnosisText, headingText, summaryText } from '../agent/doctor/diagnosis-text.ts';
import { type Patient, probesFor } from '../agent/doctor/doctor.ts';
import { type Diagnosis, examine } from '../agent/doctor/probe.ts';
import { isLocked } from '../agent/host/files/lock.ts';
import { print, printStyled } from '../agent/host/process/print.ts';
import { inCare } from '../agent/knowledge.ts';
import { planNode } from '../agent/plan.ts';
import { diagnosesJson } from '../agent/report/output.ts';
import { cloudWarnings } from '../agent/settings/warnings.ts';
import type { DoctorOptions } from './cli.ts';
import { compose } from './compose.ts';
import { terminal } from './terminal.ts';

/** Prints a diagnosis for each probe. Resolves to 0 if no probe failed, otherwise to 1. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const patient = await meetPatient(options);
  const page = terminal();
  let last = '';
  const onDiagnosis = (diagnosis: Diagnosis) => {
    const heading = diagnosis.about === last ? '' : headingText(diagnosis.about, page);
    last = diagnosis.about;
    printStyled(heading + diagnosisText(diagnosis, page));
  };
  const isText = options.output === 'table';
  const now = () => patient.machine.now();
  const diagnoses = await examine(probesFor(patient), isText ? { now, onDiagnosis } : { now });
  print(isText ? summaryText(diagnoses) : diagnosesJson(diagnoses));
  return diagnoses.some(({ level }) => level === 'failure') ? 1 : 0;
}

async function meetPatient(options: DoctorOptions): Promise<Patient> {
  const { gather, connect, host: machine, paths } = await compose(options);
  const knowledge = await inCare(machine, await gather());
  const loaded = knowledge.tagged.value?.loaded ?? knowledge.files.value;
  const connected = loaded && connect(loaded.settings);
  // Ignores an error: the probes of the metadata service and of the secrets report why the endpoints are unknown.
  const endpoints = (await connected?.cloud.endpoints().catch(() => [])) ?? [];
  const { machineMeasures } = await import('../agent/host/measures.ts');
  return {
    machine,
    measures: machineMeasures,
    paths,
    configured: loaded &&
      connected && {
        ...{ settings: loaded.settings, endpoints, cloudWarnings: cloudWarnings(loaded) },
        ...connected,
      },
    node: knowledge.node.value,
    isRunning: () => isLocked(machine, paths.slipway.lock),
    plan: planNode(knowledge, connected?.portsFor(knowledge), paths),
  };
}

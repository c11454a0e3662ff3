/**
 * The exports of the K3s part for the list of parts, for other parts, and for the commands setup, doctor and report.
 */

export { k3sPart } from './part.ts';

// The Resources of a node with K3s.

export { configFile } from './config/config.ts';
export { criticalSettings } from './config/critical-settings.ts';
export { endpointFile } from './config/endpoint-file.ts';
export { noOverrides, unlessOverridden } from './config/overrides.ts';
export { settingsChange, unlessIrreversible } from './config/settings-change.ts';
export { activeStart } from './datastore/active-start.ts';
export { type DatastoreCopier, datastoreCopiers } from './datastore/copiers.ts';
export { type CopyManifest, copyManifest, datastoreCopies } from './datastore/copies.ts';
export { copyLack } from './datastore/copy-lack.ts';
export { type CopiesStatus, copyStatus } from './datastore/copy-status.ts';
export { type CopyPurpose, copyStep } from './datastore/copy-step.ts';
export { copyWait } from './datastore/copy-wait.ts';
export { type DatastoreKind, datastoreKind, datastoreKinds } from './datastore/datastore-kind.ts';
export { etcdMembers } from './datastore/etcd-members.ts';
export { clusterCa, describeCopy } from './datastore/keep-copy.ts';
export { kineFacts } from './datastore/kine.ts';
export { unlessCopying } from './datastore/unless-copying.ts';
export { etcdMember } from './etcd-member.ts';
export { type Gate, openGate, type Wish, wishKinds } from './gate.ts';
export { imageRules } from './image-rules.ts';
export { foundingRepaired } from './interrupted-founding.ts';
export { agentToken } from './membership/agent-token.ts';
export { caPin } from './membership/ca-pin.ts';
export { clusterFounding, serverToJoin } from './membership/cluster-founding.ts';
export { fetchToken, tokenSecretName } from './membership/fetched-token.ts';
export { etcdFounding, type FoundingPorts } from './membership/founding/etcd-founding.ts';
export { type FoundingMemory, foundingMemory } from './membership/founding/memory.ts';
export { recordRestore } from './membership/founding/restored-cluster.ts';
export { joinToken } from './membership/join-token.ts';
export { nonBlockingOnceJoined } from './membership/joined-cluster.ts';
export type { Verification } from './membership/kinds/kind.ts';
export { verifies } from './membership/kinds/kinds.ts';
export { roleChange } from './membership/role-change.ts';
export { isUnderWay, readRotation } from './membership/rotation-record.ts';
export { serverChange } from './membership/server-change.ts';
export { tokenAccepted } from './membership/token-accepted.ts';
export { agentTokenPath } from './membership/token-paths.ts';
export { etcdMigration } from './migration.ts';
export { nodeReady, nodeReadyId, nodeTaintsApplied } from './node-ready.ts';
export { type ApiNode, apiNode, nodePath, readOwnNode } from './own-node.ts';
export { removedNoted } from './removed-member.ts';
export { noNotice, type RotationNotice, type ShownRotation } from './rotation/notice.ts';
export { passwordsSaved } from './rotation/passwords-saved.ts';
export { rotationRestart } from './rotation/rotation-restart.ts';
export { startRepaired } from './rotation/start-repaired.ts';
export { tokenFollowed } from './rotation/token-followed.ts';
export { tokenRotated } from './rotation/token-rotated.ts';
export { tokenState } from './rotation/token-state.ts';
export { afterOwnStart, ownStart } from './service/adopted-start.ts';
export { keepingFlags } from './service/adopted-unit.ts';
export { releaseVerdict } from './service/release-verdict.ts';
export { k3sRestart } from './service/restart.ts';
export { k3sService } from './service/service.ts';
export { unit } from './service/unit.ts';
export { k3sScripts, scriptPaths } from './teardown/scripts.ts';
export { releaseAgreed } from './upgrade/agreed.ts';
export { wantedVersion } from './upgrade/channel/note.ts';
export { channelResolved } from './upgrade/channel/resolved.ts';
export { type CopyLack, datastoreCopied } from './upgrade/copied.ts';
export { releaseFetched } from './upgrade/fetched.ts';
export { releasePublished } from './upgrade/fleet-release.ts';
export { k3sExecutable, k3sLinks, soundVersion } from './upgrade/release.ts';
export { releaseReplaced } from './upgrade/replaced.ts';
export { upgradeTakenBack, upgradeTurn, upgradeUndone } from './upgrade-turn.ts';
export { upgradeVerified } from './upgrade-verified.ts';

// The inputs of a start of K3s, from all parts.

export { accessInputs, programInputs, serverNote } from './service/start-inputs.ts';
export type {
  LookedAt,
  StampedNode,
  StartInput,
  StartNote,
  StartNotes,
  StartSources,
  StartVerdict,
} from './service/start-sources.ts';
export { readStamp, stampStart } from './service/start-stamp.ts';

// The state of K3s on the machine, and its flags.

export { k3sSettingsProblems } from './flags/config-keys.ts';
export { type Flags, k3sFlags, otherProviderFlag } from './flags/flags.ts';
export { keptAddress, keptExternalAddress } from './kept-address.ts';
export { joinedCluster, proofOfJoining } from './membership/joined-cluster.ts';
export { keepingRole } from './membership/kept-role.ts';
export { foreignStart } from './service/adopted-start.ts';
export { namingK3sLeftRunning } from './service/left-running.ts';
export { isDown } from './upgrade/is-down.ts';
export { compareVersions, type K3sVersion, parseVersion } from './upgrade/version.ts';

// The certificates of K3s.

export { type CertificateStatus, certificateStatus } from './certificates/certificate-status.ts';
export { certificatesId, certificatesRenewed } from './certificates/certificates-renewed.ts';
export { certificateNote } from './certificates/last-start.ts';
export { servedNameFault } from './certificates/served-name.ts';
export { servingUrl } from './certificates/serving-certificate.ts';

// The removal of K3s.

export { movedAside, movedAsideGone } from './teardown/moved-aside.ts';
export { containerProcesses, isOfPods, processesEndedId } from './teardown/processes.ts';
export { k3sRemoved, k3sStopped, k3sUnits } from './teardown/teardown.ts';

// What a node reports to the cluster.

export { announcement, type Told, toldBy } from './announcement.ts';
export { annotate, annotationKeys, readAnnotations } from './node-annotations.ts';
export { createEvents } from './node-events.ts';

// Access for people.

export { remoteKubeconfig } from './remote-kubeconfig.ts';

// The restore of the datastore.

export { apiBack } from './restore/api-back.ts';
export { joinsNoServer } from './restore/etcd-membership.ts';
export { longestReset } from './restore/etcd-reset.ts';
export { type FreshServer, hasNoCluster, requireNeverServed } from './restore/fresh-server.ts';
export { judgeCopy, type RestorableCopy } from './restore/judge-copy.ts';
export { type AcceptedCopy, judgeManifest } from './restore/judge-manifest.ts';
export { judgeOwnEtcd, ownEtcd } from './restore/judge-own-etcd.ts';
export { k3sBack } from './restore/k3s-back.ts';
export { formerPasswordRemoved } from './restore/moved-cluster.ts';
export { type OtherServers, otherServersOf, requireOthersOff } from './restore/other-servers.ts';
export { restoreEnded } from './restore/restore-ended.ts';
export { restoreRefused } from './restore/restore-refused.ts';
export { placedRestore, type Restore, restoreCommand, restoreOf } from './restore/restore-state.ts';
export { datastoreReplaced } from './restore/restore-steps.ts';
export { keptAside } from './restore/way-back.ts';

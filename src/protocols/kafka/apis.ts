import { TransactionClass } from "../protocol.ts";

/**
 * Kafka's apis by api key, each with the first "flexible" version of its messages: from there on lengths are varints and
 * fields may be tagged (KIP-482; kafka.apache.org/protocol, "Protocol API Keys"). `-`: none is.
 */
const APIS =
  `Produce:9 Fetch:12 ListOffsets:6 Metadata:9 LeaderAndIsr:4 StopReplica:2 UpdateMetadata:6 ControlledShutdown:3
OffsetCommit:8 OffsetFetch:6 FindCoordinator:3 JoinGroup:6 Heartbeat:4 LeaveGroup:4 SyncGroup:4 DescribeGroups:5 ListGroups:3
SaslHandshake:- ApiVersions:3 CreateTopics:5 DeleteTopics:4 DeleteRecords:2 InitProducerId:2 OffsetForLeaderEpoch:4
AddPartitionsToTxn:3 AddOffsetsToTxn:3 EndTxn:3 WriteTxnMarkers:1 TxnOffsetCommit:3 DescribeAcls:2 CreateAcls:2 DeleteAcls:2
DescribeConfigs:4 AlterConfigs:2 AlterReplicaLogDirs:2 DescribeLogDirs:2 SaslAuthenticate:2 CreatePartitions:2
CreateDelegationToken:2 RenewDelegationToken:2 ExpireDelegationToken:2 DescribeDelegationToken:2 DeleteGroups:2 ElectLeaders:2
IncrementalAlterConfigs:1 AlterPartitionReassignments:0 ListPartitionReassignments:0 OffsetDelete:- DescribeClientQuotas:1
AlterClientQuotas:1 DescribeUserScramCredentials:0 AlterUserScramCredentials:0 Vote:0 BeginQuorumEpoch:1 EndQuorumEpoch:1
DescribeQuorum:0 AlterPartition:0 UpdateFeatures:0 Envelope:0 FetchSnapshot:0 DescribeCluster:0 DescribeProducers:0
BrokerRegistration:0 BrokerHeartbeat:0 UnregisterBroker:0 DescribeTransactions:0 ListTransactions:0 AllocateProducerIds:0
ConsumerGroupHeartbeat:0 ConsumerGroupDescribe:0 ControllerRegistration:0 GetTelemetrySubscriptions:0 PushTelemetry:0
AssignReplicasToDirs:0 ListConfigResources:0 DescribeTopicPartitions:0 ShareGroupHeartbeat:0 ShareGroupDescribe:0 ShareFetch:0
ShareAcknowledge:0 AddRaftVoter:0 RemoveRaftVoter:0 UpdateRaftVoter:0 InitializeShareGroupState:0 ReadShareGroupState:0
WriteShareGroupState:0 DeleteShareGroupState:0 ReadShareGroupStateSummary:0 StreamsGroupHeartbeat:0 StreamsGroupDescribe:0
DescribeShareGroupOffsets:0 AlterShareGroupOffsets:0 DeleteShareGroupOffsets:0`
    .split(/\s+/)
    .map((entry) => entry.split(":") as [string, string]);

const NAMES = APIS.map(([name]) => name);
const FIRST_FLEXIBLE = APIS.map(([, version]) => (version === "-" ? Number.POSITIVE_INFINITY : Number(version)));

/** Versions beyond this are of no api: Kafka 4 has reached 18. */
export const MAX_VERSION = 40;

/** What raw SASL tokens, which have no header, are called. */
const SASL_TOKEN = "SaslToken";

/** Command id → name: api keys plus one. */
export const COMMANDS: readonly string[] = ["other", ...NAMES, SASL_TOKEN];
/** Of raw SASL tokens. */
export const TOKEN_COMMAND: number = COMMANDS.length - 1;

/** Api keys that mean something to more than the tables. */
export const ApiKey = {
  produce: 0,
  fetch: 1,
  controlledShutdown: 7,
  saslHandshake: 17,
  apiVersions: 18,
  saslAuthenticate: 36,
  shareFetch: 78,
} as const;

/** OTHER (0) where the api key is unknown. */
export function commandOf(apiKey: number): number {
  return apiKey < NAMES.length ? apiKey + 1 : 0;
}

export function isKnownApi(apiKey: number): boolean {
  return apiKey < NAMES.length;
}

/** Whether messages of this version have compact lengths and tagged fields. */
export function isFlexible(apiKey: number, version: number): boolean {
  return version >= (FIRST_FLEXIBLE[apiKey] ?? Number.POSITIVE_INFINITY);
}

/** They are answered when all members of a group have come, or when there is something to tell. */
const WAITING = new Set(
  ["JoinGroup", "SyncGroup", "ConsumerGroupHeartbeat", "ShareGroupHeartbeat", "StreamsGroupHeartbeat"].map((name) =>
    COMMANDS.indexOf(name),
  ),
);
const CONNECTING = new Set(["SaslHandshake", "SaslAuthenticate", SASL_TOKEN].map((name) => COMMANDS.indexOf(name)));

const CLASSES: readonly TransactionClass[] = COMMANDS.map((_, id) => {
  if (WAITING.has(id)) return TransactionClass.blocking;
  return CONNECTING.has(id) ? TransactionClass.connect : TransactionClass.normal;
});

export function classOf(commandId: number): TransactionClass {
  return CLASSES[commandId]!;
}

const encoder = new TextEncoder();
const NAME_TEXTS = COMMANDS.map((name) => encoder.encode(name));
const VERSION_TEXTS = Array.from({ length: MAX_VERSION + 1 }, (_, version) => encoder.encode(`v${version}`));

/** The command's name, in bytes; `api-<n>` where it is unknown. */
export function nameText(apiKey: number): Uint8Array {
  return isKnownApi(apiKey) ? NAME_TEXTS[apiKey + 1]! : encoder.encode(`api-${apiKey}`);
}

export function versionText(version: number): Uint8Array {
  return VERSION_TEXTS[version] ?? encoder.encode(`v${version}`);
}

export const TOKEN_TEXT: Uint8Array = NAME_TEXTS[TOKEN_COMMAND]!;

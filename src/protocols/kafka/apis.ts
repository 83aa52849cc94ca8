import { TransactionClass } from "../protocol.ts";

/**
 * Kafka's apis by api key, each with the first "flexible" version of its messages: from there on lengths are varints and
 * fields may be tagged (KIP-482; kafka.apache.org/protocol, "Protocol API Keys"), `-` where none is; and the last version of Kafka 4.1.
 */
const APIS =
  `Produce:9:13 Fetch:12:18 ListOffsets:6:11 Metadata:9:13 LeaderAndIsr:4:7 StopReplica:2:4 UpdateMetadata:6:8
ControlledShutdown:3:3 OffsetCommit:8:10 OffsetFetch:6:10 FindCoordinator:3:6 JoinGroup:6:9 Heartbeat:4:4
LeaveGroup:4:5 SyncGroup:4:5 DescribeGroups:5:6 ListGroups:3:5 SaslHandshake:-:1 ApiVersions:3:4
CreateTopics:5:7 DeleteTopics:4:6 DeleteRecords:2:2 InitProducerId:2:6 OffsetForLeaderEpoch:4:4
AddPartitionsToTxn:3:5 AddOffsetsToTxn:3:4 EndTxn:3:5 WriteTxnMarkers:1:1 TxnOffsetCommit:3:5 DescribeAcls:2:3
CreateAcls:2:3 DeleteAcls:2:3 DescribeConfigs:4:4 AlterConfigs:2:2 AlterReplicaLogDirs:2:2 DescribeLogDirs:2:4
SaslAuthenticate:2:2 CreatePartitions:2:3 CreateDelegationToken:2:3 RenewDelegationToken:2:2
ExpireDelegationToken:2:2 DescribeDelegationToken:2:3 DeleteGroups:2:2 ElectLeaders:2:2
IncrementalAlterConfigs:1:1 AlterPartitionReassignments:0:1 ListPartitionReassignments:0:0 OffsetDelete:-:0
DescribeClientQuotas:1:1 AlterClientQuotas:1:1 DescribeUserScramCredentials:0:0 AlterUserScramCredentials:0:0
Vote:0:2 BeginQuorumEpoch:1:1 EndQuorumEpoch:1:1 DescribeQuorum:0:2 AlterPartition:0:3 UpdateFeatures:0:2
Envelope:0:0 FetchSnapshot:0:1 DescribeCluster:0:2 DescribeProducers:0:0 BrokerRegistration:0:4
BrokerHeartbeat:0:1 UnregisterBroker:0:0 DescribeTransactions:0:0 ListTransactions:0:2 AllocateProducerIds:0:0
ConsumerGroupHeartbeat:0:1 ConsumerGroupDescribe:0:1 ControllerRegistration:0:0 GetTelemetrySubscriptions:0:0
PushTelemetry:0:0 AssignReplicasToDirs:0:0 ListConfigResources:0:1 DescribeTopicPartitions:0:0
ShareGroupHeartbeat:0:1 ShareGroupDescribe:0:1 ShareFetch:0:1 ShareAcknowledge:0:1 AddRaftVoter:0:0
RemoveRaftVoter:0:0 UpdateRaftVoter:0:0 InitializeShareGroupState:0:0 ReadShareGroupState:0:0
WriteShareGroupState:0:0 DeleteShareGroupState:0:0 ReadShareGroupStateSummary:0:0 StreamsGroupHeartbeat:0:0
StreamsGroupDescribe:0:0 DescribeShareGroupOffsets:0:0 AlterShareGroupOffsets:0:0 DeleteShareGroupOffsets:0:0`
    .split(/\s+/)
    .map((entry) => entry.split(":") as [string, string, string]);

const NAMES = APIS.map(([name]) => name);
const LAST_VERSIONS = APIS.map(([, , version]) => Number(version));
const FIRST_FLEXIBLE = APIS.map(([, version]) => (version === "-" ? Number.POSITIVE_INFINITY : Number(version)));

/** Versions beyond this are believed of no api: Kafka 4 has reached 18. */
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

/** Whether it is known what messages of this api and version look like. */
export function isKnownVersion(apiKey: number, version: number): boolean {
  return version <= (LAST_VERSIONS[apiKey] ?? -1);
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

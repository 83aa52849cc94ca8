const THROTTLED = "throttle_time_ms:i32!throttle";
/** The form of most: how long the client was held back (from some version on), and an error. */
const FAILED = "error_code:i16!error";
const BOTH = `${THROTTLED} ${FAILED}`;
const LATER = `throttle_time_ms:i32@1!throttle ${FAILED}`;

/**
 * What is read of each api's responses: the throttle time and the error codes, and all that `--details` prints of five. As
 * `REQUEST_LAYOUTS`; secrets (SASL tokens, delegation tokens, values of configurations) stand behind what is read, or are passed.
 */
export const RESPONSE_LAYOUTS: Readonly<Record<string, string>> = {
  Produce: `responses[ name:str@0-12 topic_id:uuid@13 partition_responses[ index:i32 error_code:i16!error base_offset:i64
    log_append_time_ms:i64@2 log_start_offset:i64@5 record_errors@8[ :i32 :str ]
    error_message:str@8 ] ] throttle_time_ms:i32@1!throttle`,
  Fetch: `throttle_time_ms:i32@1!throttle error_code:i16@7!error session_id:i32@7 responses[ topic:str@0-12 topic_id:uuid@13
    partitions[ partition_index:i32 error_code:i16!error high_watermark:i64 last_stable_offset:i64@4 log_start_offset:i64@5
    aborted_transactions@4[ :i64 :i64 ] preferred_read_replica:i32@11 records:records ] ]`,
  ListOffsets: `throttle_time_ms:i32@2!throttle topics[ name:str partitions[ partition_index:i32 error_code:i16!error
    old_style_offsets@0-0( offset:i64 ) timestamp:i64@1 offset:i64@1 leader_epoch:i32@4 ] ]`,
  Metadata: `throttle_time_ms:i32@3!throttle brokers[ node_id:i32 host:str port:i32 rack:str@1 ] cluster_id:str@2
    controller_id:i32@1 topics[ error_code:i16!error name:str topic_id:uuid@10 is_internal:bool@1 partitions[ error_code:i16!error
    partition_index:i32 leader_id:i32 leader_epoch:i32@7 replica_nodes:ints isr_nodes:ints offline_replicas:ints@5 ]
    topic_authorized_operations:i32@8 ] cluster_authorized_operations:i32@8-10 error_code:i16@13!error`,
  ApiVersions: `error_code:i16!error api_keys[ api_key:i16!api min_version:i16!first max_version:i16!last ]
    throttle_time_ms:i32@1!throttle`,
  LeaderAndIsr: `${FAILED} partition_errors@0-4[ :str :i32 error_code:i16!error ] topics@5[ :uuid partition_errors[ :i32 error_code:i16!error ] ]`,
  StopReplica: `${FAILED} partition_errors[ :str :i32 error_code:i16!error ]`,
  UpdateMetadata: FAILED,
  ControlledShutdown: FAILED,
  OffsetCommit: `throttle_time_ms:i32@3!throttle topics[ :str@0-9 :uuid@10 partitions[ :i32 error_code:i16!error ] ]`,
  OffsetFetch: `throttle_time_ms:i32@3!throttle topics@0-7[ :str partitions[ :i32 :i64 :i32@5 :str error_code:i16!error ] ]
    error_code:i16@2-7!error groups@8[ :str topics[ :str@8-9 :uuid@10 partitions[ :i32 :i64 :i32 :str error_code:i16!error ] ]
    error_code:i16!error ]`,
  FindCoordinator: `throttle_time_ms:i32@1!throttle error_code:i16@0-3!error error_message:str@1-3 node_id:i32@0-3 host:str@0-3
    port:i32@0-3 coordinators@4[ key:str node_id:i32 host:str port:i32 error_code:i16!error error_message:str ]`,
  JoinGroup: `throttle_time_ms:i32@2!throttle ${FAILED}`,
  Heartbeat: LATER,
  LeaveGroup: `${LATER} members@3[ :str :str error_code:i16!error ]`,
  SyncGroup: LATER,
  DescribeGroups: `throttle_time_ms:i32@1!throttle groups[ error_code:i16!error :str@6 :str :str :str :str
    members[ :str :str@4 :str :str :bytes :bytes ] :i32@3 ]`,
  ListGroups: LATER,
  SaslHandshake: FAILED,
  CreateTopics: `throttle_time_ms:i32@2!throttle topics[ name:str topic_id:uuid@7 error_code:i16!error error_message:str@1
    :i32@5 :i16@5 configs@5[ :str :str :bool :i8 :bool ] ]`,
  DeleteTopics: `throttle_time_ms:i32@1!throttle responses[ name:str topic_id:uuid@6 error_code:i16!error
    error_message:str@5 ]`,
  DeleteRecords: `${THROTTLED} topics[ :str partitions[ :i32 :i64 error_code:i16!error ] ]`,
  InitProducerId: `${BOTH} producer_id:i64 producer_epoch:i16`,
  OffsetForLeaderEpoch: `throttle_time_ms:i32@2!throttle topics[ :str partitions[ error_code:i16!error :i32 :i32@1 :i64 ] ]`,
  AddPartitionsToTxn: `${THROTTLED} error_code:i16@4!error results@4[ :str topics[ :str partitions[ :i32 error_code:i16!error ] ] ]
    topics@0-3[ :str partitions[ :i32 error_code:i16!error ] ]`,
  AddOffsetsToTxn: BOTH,
  EndTxn: BOTH,
  WriteTxnMarkers: "markers[ :i64 topics[ :str partitions[ :i32 error_code:i16!error ] ] ]",
  TxnOffsetCommit: `${THROTTLED} topics[ :str partitions[ :i32 error_code:i16!error ] ]`,
  DescribeAcls: BOTH,
  CreateAcls: `${THROTTLED} results[ error_code:i16!error error_message:str ]`,
  DeleteAcls: `${THROTTLED} filter_results[ error_code:i16!error :str
    matching_acls[ error_code:i16!error :str :i8 :str :i8@1 :str :str :i8 :i8 ] ]`,
  DescribeConfigs: `${THROTTLED} results[ error_code:i16!error error_message:str :i8 :str configs[ :str :str :bool :bool@0-0 :i8@1
    :bool synonyms@1[ :str :str :i8 ] :i8@3 :str@3 ] ]`,
  AlterConfigs: `${THROTTLED} responses[ error_code:i16!error error_message:str :i8 :str ]`,
  AlterReplicaLogDirs: `${THROTTLED} results[ :str partitions[ :i32 error_code:i16!error ] ]`,
  DescribeLogDirs: `${THROTTLED} error_code:i16@3!error results[ error_code:i16!error :str
    topics[ :str partitions[ :i32 :i64 :i64 :bool ] ] :i64@4 :i64@4 ]`,
  SaslAuthenticate: FAILED,
  CreatePartitions: `${THROTTLED} results[ :str error_code:i16!error error_message:str ]`,
  CreateDelegationToken: `${FAILED} :str :str :str@3 :str@3 :i64 :i64 :i64 :str :bytes ${THROTTLED}`,
  RenewDelegationToken: `${FAILED} :i64 ${THROTTLED}`,
  ExpireDelegationToken: `${FAILED} :i64 ${THROTTLED}`,
  DescribeDelegationToken: `${FAILED} tokens[ :str :str :str@3 :str@3 :i64 :i64 :i64 :str :bytes renewers[ :str :str ] ]
    ${THROTTLED}`,
  DeleteGroups: `${THROTTLED} results[ :str error_code:i16!error ]`,
  ElectLeaders: `${THROTTLED} error_code:i16@1!error results[ :str partitions[ :i32 error_code:i16!error :str ] ]`,
  IncrementalAlterConfigs: `${THROTTLED} responses[ error_code:i16!error error_message:str :i8 :str ]`,
  AlterPartitionReassignments: `${THROTTLED} :bool@1 error_code:i16!error :str
    responses[ :str partitions[ :i32 error_code:i16!error :str ] ]`,
  ListPartitionReassignments: BOTH,
  OffsetDelete: `${FAILED} ${THROTTLED} topics[ :str partitions[ :i32 error_code:i16!error ] ]`,
  DescribeClientQuotas: BOTH,
  AlterClientQuotas: `${THROTTLED} entries[ error_code:i16!error :str entity[ :str :str ] ]`,
  DescribeUserScramCredentials: `${BOTH} :str results[ :str error_code:i16!error :str infos[ :i8 :i32 ] ]`,
  AlterUserScramCredentials: `${THROTTLED} results[ :str error_code:i16!error :str ]`,
  Vote: `${FAILED} topics[ :str partitions[ :i32 error_code:i16!error :i32 :i32 :bool ] ]`,
  BeginQuorumEpoch: `${FAILED} topics[ :str partitions[ :i32 error_code:i16!error :i32 :i32 ] ]`,
  EndQuorumEpoch: `${FAILED} topics[ :str partitions[ :i32 error_code:i16!error :i32 :i32 ] ]`,
  DescribeQuorum: `${FAILED} :str@2 topics[ :str partitions[ :i32 error_code:i16!error :str@2 :i32 :i32 :i64
    current_voters[ :i32 :uuid@2 :i64 :i64@1 :i64@1 ] observers[ :i32 :uuid@2 :i64 :i64@1 :i64@1 ] ] ]`,
  AlterPartition: `${BOTH} topics[ :str@0-1 :uuid@2 partitions[ :i32 error_code:i16!error :i32 :i32 :ints :i8@1 :i32 ] ]`,
  UpdateFeatures: `${BOTH} :str results@0-1[ :str error_code:i16!error :str ]`,
  Envelope: ":bytes error_code:i16!error",
  FetchSnapshot: `${BOTH} topics[ :str partitions[ :i32 error_code:i16!error { :i64 :i32 } :i64 :i64 :bytes ] ]`,
  DescribeCluster: BOTH,
  DescribeProducers: `${THROTTLED} topics[ :str partitions[ :i32 error_code:i16!error :str
    active_producers[ :i64 :i32 :i32 :i64 :i32 :i64 ] ] ]`,
  BrokerRegistration: BOTH,
  BrokerHeartbeat: BOTH,
  UnregisterBroker: BOTH,
  DescribeTransactions: `${THROTTLED} transaction_states[ error_code:i16!error :str :str :i32 :i64 :i64 :i16
    topics[ :str :ints ] ]`,
  ListTransactions: BOTH,
  AllocateProducerIds: BOTH,
  ConsumerGroupHeartbeat: BOTH,
  ConsumerGroupDescribe: `${THROTTLED} groups[ error_code:i16!error :str :str :str :i32 :i32 :str
    members[ :str :str :str :i32 :str :str names( :str ) :str { partitions[ :uuid :str :ints ] }
    { partitions[ :uuid :str :ints ] } :i8@1 ] :i32 ]`,
  ControllerRegistration: BOTH,
  GetTelemetrySubscriptions: BOTH,
  PushTelemetry: BOTH,
  AssignReplicasToDirs: `${BOTH} directories[ :uuid topics[ :uuid partitions[ :i32 error_code:i16!error ] ] ]`,
  ListConfigResources: BOTH,
  DescribeTopicPartitions: `${THROTTLED} topics[ error_code:i16!error :str :uuid :bool
    partitions[ error_code:i16!error :i32 :i32 :i32 :ints :ints :ints :ints :ints ] :i32 ]`,
  ShareGroupHeartbeat: BOTH,
  ShareGroupDescribe: `${THROTTLED} groups[ error_code:i16!error :str :str :str :i32 :i32 :str
    members[ :str :str :i32 :str :str names( :str ) { partitions[ :uuid :str :ints ] } ] :i32 ]`,
  ShareFetch: `${BOTH} .@0-0 error_message:str :i32 responses[ topic_id:uuid partitions[ partition_index:i32 error_code:i16!error :str
    acknowledge_error_code:i16!error :str { :i32 :i32 } records:records acquired_records[ :i64 :i64 :i16 ] ] ]`,
  ShareAcknowledge: `${BOTH} error_message:str :i32@2 responses[ topic_id:uuid partitions[ :i32 error_code:i16!error :str
    { :i32 :i32 } ] ]`,
  AddRaftVoter: BOTH,
  RemoveRaftVoter: BOTH,
  UpdateRaftVoter: BOTH,
  InitializeShareGroupState: "results[ :uuid partitions[ :i32 error_code:i16!error :str ] ]",
  ReadShareGroupState: `results[ :uuid partitions[ :i32 error_code:i16!error :str :i32 :i64
    state_batches[ :i64 :i64 :i8 :i16 ] ] ]`,
  WriteShareGroupState: "results[ :uuid partitions[ :i32 error_code:i16!error :str ] ]",
  DeleteShareGroupState: "results[ :uuid partitions[ :i32 error_code:i16!error :str ] ]",
  ReadShareGroupStateSummary: "results[ :uuid partitions[ :i32 error_code:i16!error . ] ]",
  StreamsGroupHeartbeat: BOTH,
  StreamsGroupDescribe: `${THROTTLED} groups[ error_code:i16!error . ]`,
  DescribeShareGroupOffsets: THROTTLED,
  AlterShareGroupOffsets: BOTH,
  DeleteShareGroupOffsets: BOTH,
};

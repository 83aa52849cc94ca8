/**
 * What is read of each api's requests, as far as it tells something: the notation of `layout.ts`, fields named and ordered as in Kafka's
 * protocol guide (kafka.apache.org/protocol, "The Messages") up to Kafka 4.1. Beyond the last field named here all is passed.
 *
 * The key is the first topic, by name or, where newer versions have none, by id; of apis about something else it is that: a group, a
 * transactional id, a resource. Never read: SASL tokens, delegation tokens' HMACs, salted passwords, values of configurations.
 */
export const REQUEST_LAYOUTS: Readonly<Record<string, string>> = {
  Produce: `transactional_id:str@3 acks:i16!acks timeout_ms:i32 topic_data[ name:str@0-12!key topic_id:uuid@13!key
    partition_data[ index:i32 records:records ] ]`,
  Fetch: `replica_id:i32@0-14 max_wait_ms:i32!wait min_bytes:i32 max_bytes:i32@3 isolation_level:i8@4 session_id:i32@7
    session_epoch:i32@7 topics[ topic:str@0-12!key topic_id:uuid@13!key partitions[ partition:i32 current_leader_epoch:i32@9
    fetch_offset:i64 last_fetched_epoch:i32@12 log_start_offset:i64@5 partition_max_bytes:i32 ] ]
    forgotten_topics_data@7[ topic:str@7-12 topic_id:uuid@13 partitions:ints ] rack_id:str@11`,
  ListOffsets: `replica_id:i32 isolation_level:i8@2 topics[ name:str!key partitions[ partition_index:i32
    current_leader_epoch:i32@4 timestamp:i64 max_num_offsets:i32@0-0 ] ] timeout_ms:i32@10`,
  Metadata: `topics[ topic_id:uuid@10!key name:str!key ] allow_auto_topic_creation:bool@4
    include_cluster_authorized_operations:bool@8-10 include_topic_authorized_operations:bool@8`,
  ApiVersions: "client_software_name:str@3 client_software_version:str@3",
  StopReplica: `:i32 :bool@4 :i32 :i64@1 :bool@0-2 ungrouped_partitions@0-0[ :str!key :i32 ] topics@1-2[ :str!key :ints ]
    topic_states@3[ :str!key . ]`,
  OffsetCommit: `group_id:str!group :i32@1 :str@1 :str@7 :i64@2-4 topics[ name:str@0-9!key topic_id:uuid@10!key . ]`,
  OffsetFetch: `group_id:str@0-7!group topics@0-7[ name:str!key partition_indexes:ints ]
    groups@8[ group_id:str!group :str@9 :i32@9 topics[ name:str@8-9!key topic_id:uuid@10!key partition_indexes:ints ] ]`,
  FindCoordinator: "key:str@0-3!key :i8@1 coordinator_keys@4( :str!key )",
  JoinGroup: "group_id:str!key",
  Heartbeat: "group_id:str!key",
  LeaveGroup: "group_id:str!key",
  SyncGroup: "group_id:str!key",
  DescribeGroups: "groups( :str!key )",
  SaslHandshake: "mechanism:str!key",
  CreateTopics: "topics[ name:str!key . ]",
  DeleteTopics: "topics@6[ name:str!key topic_id:uuid!key ] topic_names@0-5( :str!key )",
  DeleteRecords: "topics[ name:str!key . ]",
  InitProducerId: "transactional_id:str!key transaction_timeout_ms:i32",
  OffsetForLeaderEpoch: ":i32@3 topics[ topic:str!key . ]",
  AddPartitionsToTxn: `transactions@4[ :str :i64 :i16 :bool topics[ name:str!key partitions:ints ] ]
    :str@0-3 :i64@0-3 :i16@0-3 topics@0-3[ name:str!key . ]`,
  AddOffsetsToTxn: "transactional_id:str!key",
  EndTxn: "transactional_id:str!key",
  WriteTxnMarkers: "markers[ :i64 :i16 :bool topics[ name:str!key partition_indexes:ints ] :i32 ]",
  TxnOffsetCommit: ":str group_id:str!group :i64 :i16 :i32@3 :str@3 :str@3 topics[ name:str@0-5!key . ]",
  DescribeAcls: ":i8 resource_name_filter:str!key",
  CreateAcls: "creations[ :i8 resource_name:str!key . ]",
  DeleteAcls: "filters[ :i8 resource_name_filter:str!key . ]",
  DescribeConfigs: "resources[ :i8 resource_name:str!key . ]",
  AlterConfigs: "resources[ :i8 resource_name:str!key . ]",
  AlterReplicaLogDirs: "dirs[ :str topics[ name:str!key :ints ] ]",
  DescribeLogDirs: "topics[ topic:str!key . ]",
  CreatePartitions: "topics[ name:str!key . ]",
  DeleteGroups: "groups_names( :str!key )",
  ElectLeaders: ":i8@1 topic_partitions[ topic:str!key . ]",
  IncrementalAlterConfigs: "resources[ :i8 resource_name:str!key . ]",
  AlterPartitionReassignments: ":i32 :bool@1 topics[ name:str!key . ]",
  ListPartitionReassignments: ":i32 topics[ name:str!key . ]",
  OffsetDelete: "group_id:str!group topics[ name:str!key . ]",
  DescribeUserScramCredentials: "users[ name:str!key ]",
  Vote: ":str :i32@1 topics[ topic_name:str!key . ]",
  BeginQuorumEpoch: ":str :i32@1 topics[ topic_name:str!key . ]",
  EndQuorumEpoch: ":str topics[ topic_name:str!key . ]",
  DescribeQuorum: "topics[ topic_name:str!key . ]",
  AlterPartition: ":i32 :i64 topics[ topic_name:str@0-1!key topic_id:uuid@2!key . ]",
  UpdateFeatures: ":i32 feature_updates[ feature:str!key . ]",
  FetchSnapshot: ":i32 :i32 topics[ name:str!key . ]",
  DescribeProducers: "topics[ name:str!key . ]",
  DescribeTransactions: "transactional_ids( :str!key )",
  ConsumerGroupHeartbeat: "group_id:str!key",
  ConsumerGroupDescribe: "group_ids( :str!key )",
  DescribeTopicPartitions: "topics[ name:str!key ]",
  ShareGroupHeartbeat: "group_id:str!key",
  ShareGroupDescribe: "group_ids( :str!key )",
  ShareFetch: `group_id:str!group :str :i32 max_wait_ms:i32!wait min_bytes:i32 max_bytes:i32 :i32@1 :i32@1
    topics[ topic_id:uuid!key . ]`,
  ShareAcknowledge: "group_id:str!group :str :i32 topics[ topic_id:uuid!key . ]",
  InitializeShareGroupState: "group_id:str!group topics[ topic_id:uuid!key . ]",
  ReadShareGroupState: "group_id:str!group topics[ topic_id:uuid!key . ]",
  WriteShareGroupState: "group_id:str!group topics[ topic_id:uuid!key . ]",
  DeleteShareGroupState: "group_id:str!group topics[ topic_id:uuid!key . ]",
  ReadShareGroupStateSummary: "group_id:str!group topics[ topic_id:uuid!key . ]",
  StreamsGroupHeartbeat: "group_id:str!key",
  StreamsGroupDescribe: "group_ids( :str!key )",
  DescribeShareGroupOffsets: "groups[ group_id:str!key . ]",
  AlterShareGroupOffsets: "group_id:str!group topics[ topic_name:str!key . ]",
  DeleteShareGroupOffsets: "group_id:str!group topics[ topic_name:str!key ]",
};

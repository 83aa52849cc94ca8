/** What a connection's client has said that holds from then on. */
export class KafkaState {
  /** SaslHandshake v0 was sent: tokens follow, each behind its length, without a header, until a request comes again (KIP-43). */
  sendsTokens = false;
}

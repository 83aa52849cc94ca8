/** The request of `lostRequest`. */
export const LOST_REQUEST = `1-1  GET user:1
  10.0.0.1:40001 => 10.0.0.2:6379, redis, captured on the client's host
  began 2026-01-01 00:00:00.010000, took 201.500 ms
  normal, ok; 25 bytes up, 9 down; retransmission
  cause: retransmission, 200.000 of 201.500 ms (request sent twice, time-out)

phase                      ms    share 0                          100.750                    201.500
retransmission        200.000   99.3 % #############################################################
network (rtt)           1.000    0.5 %                                                             #
server                  0.500    0.2 %                                                             #

        ms     pause   bytes  client      server
   -10.000                    ----------------->  SYN
    -9.000     1.000          <-----------------  SYN ACK
    -8.990     0.010          ----------------->  ACK
     0.000     8.990      25  ----------------->  request
   200.000   200.000      25  =================>  request; SENT AGAIN 200.000 ms after the first
                                                  copy (time-out)
   201.500     1.500       9  <-----------------  response
   201.510     0.010          ----------------->  ACK of the response

One segment of the request was lost between here and the server (it, or its acknowledgement) and
sent again, when the client's timer ran out: that cost 200.000 ms. The server itself took 0.500 ms.
Look for drops between the two hosts: "nstat -az TcpRetransSegs" and "ip -s link" on both; with a
capture of the other host, too, tcplat diff tells on which side they are.
`;

/** The second request of `pipelined`. */
export const PIPELINED = `1-2  GET user:1
  10.0.0.1:40001 => 10.0.0.2:6379, redis, captured on the client's host
  began 2026-01-01 00:00:00.010000, took 41.300 ms
  normal, ok; 25 bytes up, 9 down; pipelined
  cause: queue, 40.200 of 41.300 ms (behind KEYS of 1-1, 40.200)

phase                      ms    share 0                          20.650                      41.300
queue                  40.200   97.3 % ###########################################################
network (rtt)           1.000    2.4 %                                                            ##
server                  0.100    0.2 %                                                             |
| 1-1 KEYS             41.200          =============================================================

        ms     pause   bytes  client      server
   -10.000                    ----------------->  SYN
    -9.000     1.000          <-----------------  SYN ACK
    -8.990     0.010          ----------------->  ACK
     0.000     8.990      46  ----------------->  request in front, request
     1.000     1.000          <-----------------  ACK of the request
    41.200    40.200      16  <-----------------  response in front
    41.300     0.100       9  <-----------------  response
    41.310     0.010          ----------------->  ACK of the response

It waited 40.200 ms for requests that were sent before it on the same connection, which are answered
in order; the longest of them was 1-1 KEYS *, 40.200 ms (explain that one, too). Give slow commands
a connection of their own, or make them quicker.
`;

/** The request of `slowReader`. */
export const SLOW_READER = `1-1  GET large
  10.0.0.1:40001 => 10.0.0.2:6379, redis, captured on the client's host
  began 2026-01-01 00:00:00.010000, took 82.510 ms
  normal, ok; 24 bytes up, 3009 down
  cause: receive, 81.010 of 82.510 ms (window closed 80.000)

phase                      ms    share 0                          41.255                      82.510
network (rtt)           1.000    1.2 % ||
server                  0.500    0.6 % #
receive                81.010   98.2 %  ############################################################
| window closed        80.000           ===========================================================

        ms     pause   bytes  client      server
   -10.000                    ----------------->  SYN
    -9.000     1.000          <-----------------  SYN ACK
    -8.990     0.010          ----------------->  ACK
     0.000     8.990      24  ----------------->  request
     1.500     1.500    1000  <-----------------  response, bytes 1-1000 of 3009
     1.510     0.010          ----------------->  ACK; WINDOW CLOSED
    41.500    39.990          <-----------------  ACK; probe of the closed window
    41.510     0.010          ----------------->  ACK
    81.510    40.000          ----------------->  ACK; window opened after 80.000 ms
    82.500     0.990    1000  <-----------------  response, bytes 1001-2000 of 3009
    82.510     0.010    1009  <-----------------  response, bytes 2001-3009 of 3009
    82.520     0.010          ----------------->  ACK of the response

The client's receive window was closed for 80.000 ms meanwhile: it did not read the response as fast
as the server sent it. Look at the client (a busy event loop, too small a buffer), not at the
server.
`;

/** The GET of `elsewhere`. */
export const ELSEWHERE = `2-1  GET user:1
  10.0.0.1:40002 => 10.0.0.2:6379, redis, captured on the client's host
  began 2026-01-01 00:00:00.020000, took 40.100 ms
  normal, ok; 25 bytes up, 9 down
  cause: server, 39.100 of 40.100 ms (behind EVAL of 1-1 from 10.0.0.1:40001, 39.000)

phase                      ms    share 0                          20.050                      40.100
network (rtt)           1.000    2.5 % #                                                           #
server                 39.100   97.5 %  ###########################################################
| 1-1 EVAL             50.000          =============================================================

        ms     pause   bytes  client      server
   -20.000                    ----------------->  SYN
   -19.000     1.000          <-----------------  SYN ACK
   -18.990     0.010          ----------------->  ACK
     0.000    18.990      25  ----------------->  request
    40.100    40.100       9  <-----------------  response
    40.110     0.010          ----------------->  ACK of the response

The server was busy for another connection: 1-1 EVAL held it for 39.000 ms of this wait, and it does
one thing at a time. Explain 1-1, and make that one quicker or send it to a replica.
`;

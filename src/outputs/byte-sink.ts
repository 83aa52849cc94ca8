import { close, constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isatty } from "node:tty";

/** Where bytes go, one write at a time, without ever blocking the event loop. */
export interface ByteSink {
  /** Writes bytes[0, length), all of them, then calls `done` once. */
  write(bytes: Buffer, length: number, done: (error: NodeJS.ErrnoException | null) => void): void;
  /** `isForced`: gives up a write that is under way. */
  close(isForced: boolean): void;
}

/** How often a full terminal is tried again. */
const RETRY_MS = 10;

/**
 * The right sink for what a descriptor is. process.stdout would not do: it blocks on Linux pipes and on terminals,
 * and so would capturing. `mayBlock`: no frame is lost meanwhile, and a regular file is written at once.
 */
export function openSink(fd: number, mayBlock: boolean): ByteSink {
  const kind = fstatSync(fd);
  if (mayBlock && kind.isFile()) return new RegularFileSink(fd);
  if (kind.isFIFO()) return new SocketSink(reopened(fd), fd);
  if (kind.isSocket()) return new SocketSink(fd, fd);
  return new FileSink(isatty(fd) ? reopened(fd) : fd, fd);
}

/**
 * The same pipe or terminal, opened once more without blocking: O_NONBLOCK belongs to the open file, which others
 * (the shell, our own stderr) may share and set as they like. Where that is impossible, the descriptor itself.
 */
function reopened(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}

/** A regular file, written where the records are made: half the time until the end of what a thread of its own needs (`print`). */
class RegularFileSink implements ByteSink {
  private readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(bytes: Buffer, length: number, done: (error: NodeJS.ErrnoException | null) => void): void {
    try {
      for (let written = 0; written < length; ) written += writeSync(this.fd, bytes, written, length - written);
    } catch (error) {
      done(error as NodeJS.ErrnoException);
      return;
    }
    done(null);
  }

  close(): void {}
}

/** Pipes and sockets: the event loop tells when there is room. */
class SocketSink implements ByteSink {
  private readonly socket: Socket;
  private readonly isOwn: boolean;

  constructor(fd: number, givenFd: number) {
    this.isOwn = fd !== givenFd;
    this.socket = new Socket({ fd, readable: false, writable: true });
    this.socket.on("error", () => {}); // each write's callback has it
  }

  write(bytes: Buffer, length: number, done: (error: NodeJS.ErrnoException | null) => void): void {
    this.socket.write(bytes.subarray(0, length), (error) => done(error ?? null));
  }

  close(isForced: boolean): void {
    if (isForced || this.isOwn) this.socket.destroy();
    else this.socket.unref();
  }
}

/** Regular files, devices and terminals: written in libuv's threads; a terminal that is full is tried again. */
class FileSink implements ByteSink {
  private readonly fd: number;
  private readonly isOwn: boolean;
  private isClosed = false;

  constructor(fd: number, givenFd: number) {
    this.fd = fd;
    this.isOwn = fd !== givenFd;
  }

  write(bytes: Buffer, length: number, done: (error: NodeJS.ErrnoException | null) => void): void {
    this.writeFrom(bytes, 0, length, done);
  }

  private writeFrom(
    bytes: Buffer,
    start: number,
    end: number,
    done: (error: NodeJS.ErrnoException | null) => void,
  ): void {
    if (this.isClosed) return;
    write(this.fd, bytes, start, end - start, null, (error, written) => {
      if (this.isClosed) return;
      if (error?.code === "EAGAIN") setTimeout(() => this.writeFrom(bytes, start, end, done), RETRY_MS);
      else if (error) done(error);
      else if (start + written < end) this.writeFrom(bytes, start + written, end, done);
      else done(null);
    });
  }

  close(isForced: boolean): void {
    this.isClosed = true;
    if (this.isOwn && !isForced) close(this.fd, () => {}); // a thread may still be in a write that is given up
  }
}

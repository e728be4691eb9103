/**
 * The numbers of the system headers, for each system that `libc.ts` knows.
 *
 * On Linux they are the same for glibc and musl, and on x86-64 and arm64. On macOS too they are the
 * same for both processors.
 *
 * @module
 */

import type { SockaddrLayout } from "./address.ts";

/** The names of the errors that socket calls report. */
export type ErrorName =
  | "EPERM"
  | "ENOENT"
  | "EINTR"
  | "EBADF"
  | "EAGAIN"
  | "ENOMEM"
  | "EACCES"
  | "ENODEV"
  | "ENOTDIR"
  | "EFAULT"
  | "EINVAL"
  | "ENFILE"
  | "ENOSPC"
  | "EROFS"
  | "EMFILE"
  | "EPIPE"
  | "EPROTO"
  | "ENOTSOCK"
  | "EDESTADDRREQ"
  | "EMSGSIZE"
  | "EPROTOTYPE"
  | "ENOPROTOOPT"
  | "EPROTONOSUPPORT"
  | "EOPNOTSUPP"
  | "EAFNOSUPPORT"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "ENETDOWN"
  | "ENETUNREACH"
  | "ECONNABORTED"
  | "ECONNRESET"
  | "ENOBUFS"
  | "EISCONN"
  | "ENOTCONN"
  | "ETIMEDOUT"
  | "ECONNREFUSED"
  | "EHOSTDOWN"
  | "EHOSTUNREACH"
  | "EALREADY"
  | "EINPROGRESS"
  | "EBUSY"
  | "ENOSYS"
  | "ECANCELED";

/** The numbers of one system. */
export interface Constants extends SockaddrLayout {
  /** Socket type: a stream of bytes, TCP. */
  readonly SOCK_STREAM: number;
  /** Socket type: datagrams, UDP. */
  readonly SOCK_DGRAM: number;
  /**
   * Added to the type: programs that this process starts do not inherit the descriptor. 0 where
   * socket(2) does not know it.
   */
  readonly SOCK_CLOEXEC: number;
  /** The request of ioctl(2) that does the same for any descriptor. */
  readonly FIOCLEX: number;
  /** Added to the type: calls on the socket do not wait. 0 where socket(2) does not know it. */
  readonly SOCK_NONBLOCK: number;
  /** The level of the options of IP, which sockets of IPv6 have too. */
  readonly IPPROTO_IP: number;
  /**
   * Option: bind(2) to an address alone takes no port yet, and connect(2) does; 0 where the system
   * has none.
   */
  readonly IP_BIND_ADDRESS_NO_PORT: number;
  /** The level of TCP's own options. */
  readonly IPPROTO_TCP: number;
  /** Option: send at once, without Nagle's algorithm. */
  readonly TCP_NODELAY: number;
  /** Option: after how many seconds of silence the first probe goes. */
  readonly TCP_KEEPIDLE: number;
  /** Option: after how many seconds another probe goes. */
  readonly TCP_KEEPINTVL: number;
  /** Option: after how many unanswered probes the connection ends. */
  readonly TCP_KEEPCNT: number;
  /**
   * Option: after how many milliseconds without an acknowledgement the connection ends; 0 where the
   * system has none.
   */
  readonly TCP_USER_TIMEOUT: number;
  /** Option: keep the SYN of each connection that a listener accepts; 0 where the system cannot. */
  readonly TCP_SAVE_SYN: number;
  /** Option: the SYN that was kept; 0 where none is. */
  readonly TCP_SAVED_SYN: number;
  /** The level of the options that all sockets have. */
  readonly SOL_SOCKET: number;
  /** Option: listen on a port although its old connections linger in TIME-WAIT. */
  readonly SO_REUSEADDR: number;
  /** Option: several sockets listen on one port. */
  readonly SO_REUSEPORT: number;
  /** Option: probe a silent peer. */
  readonly SO_KEEPALIVE: number;
  /** Option: the pending error of the socket. */
  readonly SO_ERROR: number;
  /** Option: the process at the other end of a Unix domain socket; 0 where there is none. */
  readonly SO_PEERCRED: number;
  /** Option: the address of the other end, even of one that has gone; 0 where there is none. */
  readonly SO_PEERNAME: number;
  /** Option: whether the socket listens. */
  readonly SO_ACCEPTCONN: number;
  /** Option: a number that no other socket ever gets; 0 where the system has none. */
  readonly SO_COOKIE: number;
  /** Option: what `close` does with unsent bytes. */
  readonly SO_LINGER: number;
  /** Option: the size of the receive buffer. */
  readonly SO_RCVBUF: number;
  /** Option: the size of the send buffer. */
  readonly SO_SNDBUF: number;
  /** Request: how many bytes the peer has not acknowledged; absent where nobody can ask. */
  readonly SIOCOUTQ?: number;
  /** Option: how long `recv` may wait. */
  readonly SO_RCVTIMEO: number;
  /** Option: how long `send` may wait. */
  readonly SO_SNDTIMEO: number;
  /** Flag: this call must not block. */
  readonly MSG_DONTWAIT: number;
  /** Flag: leave what is received where it is. */
  readonly MSG_PEEK: number;
  /** Flag: return an error instead of raising SIGPIPE when the peer is gone. */
  readonly MSG_NOSIGNAL: number;
  /** Shut down receiving. */
  readonly SHUT_RD: number;
  /** Shut down sending: FIN. */
  readonly SHUT_WR: number;
  /** Shut down both. */
  readonly SHUT_RDWR: number;
  /** There is something to receive. */
  readonly POLLIN: number;
  /** There is room to send. */
  readonly POLLOUT: number;
  /** The socket failed. */
  readonly POLLERR: number;
  /** Both directions are shut down. */
  readonly POLLHUP: number;
  /** The peer has sent FIN; 0 where poll(2) does not report it. */
  readonly POLLRDHUP: number;
  /** Resource: how many descriptors a process may have. */
  readonly RLIMIT_NOFILE: number;
  /** Flag: programs that this process starts do not inherit the descriptor. */
  readonly EPOLL_CLOEXEC: number;
  /** Begin to watch a descriptor. */
  readonly EPOLL_CTL_ADD: number;
  /** Stop watching it. */
  readonly EPOLL_CTL_DEL: number;
  /** Watch it for other events. */
  readonly EPOLL_CTL_MOD: number;
  /** There is something to receive. */
  readonly EPOLLIN: number;
  /** There is room to send. */
  readonly EPOLLOUT: number;
  /** The socket failed. */
  readonly EPOLLERR: number;
  /** Both directions are shut down. */
  readonly EPOLLHUP: number;
  /** The peer has sent FIN. */
  readonly EPOLLRDHUP: number;
  /** Report changes only: edge-triggered. */
  readonly EPOLLET: number;
  /** Report to one of those who watch the same descriptor, not to all; 0 where there is no epoll. */
  readonly EPOLLEXCLUSIVE: number;
  /** A flag of an open file: calls on it do not wait. */
  readonly O_NONBLOCK: number;
  /** The errors by name. */
  readonly errno: Readonly<Record<ErrorName, number>>;
}

/** Linux. */
export const LINUX: Constants = {
  AF_INET: 2,
  AF_INET6: 10,
  hasLength: false,
  AF_UNIX: 1,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0x80000,
  FIOCLEX: 0x5451,
  SOCK_NONBLOCK: 0x800,
  IPPROTO_IP: 0,
  IP_BIND_ADDRESS_NO_PORT: 24,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_USER_TIMEOUT: 18,
  TCP_SAVE_SYN: 27,
  TCP_SAVED_SYN: 28,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_REUSEPORT: 15,
  SO_KEEPALIVE: 9,
  SO_ERROR: 4,
  SO_PEERCRED: 17,
  SO_PEERNAME: 28,
  SO_ACCEPTCONN: 30,
  SO_COOKIE: 57,
  SO_LINGER: 13,
  SO_RCVBUF: 8,
  SO_SNDBUF: 7,
  SIOCOUTQ: 0x5411,
  SO_RCVTIMEO: 20,
  SO_SNDTIMEO: 21,
  MSG_DONTWAIT: 0x40,
  MSG_PEEK: 0x2,
  MSG_NOSIGNAL: 0x4000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  POLLIN: 1,
  POLLOUT: 4,
  POLLERR: 8,
  POLLHUP: 16,
  POLLRDHUP: 0x2000,
  RLIMIT_NOFILE: 7,
  EPOLL_CLOEXEC: 0x80000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
  EPOLLIN: 1,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 16,
  EPOLLRDHUP: 0x2000,
  EPOLLET: 0x8000_0000 | 0,
  EPOLLEXCLUSIVE: 0x1000_0000,
  O_NONBLOCK: 0x800,
  errno: {
    EPERM: 1,
    ENOENT: 2,
    EINTR: 4,
    EBADF: 9,
    EAGAIN: 11,
    ENOMEM: 12,
    EACCES: 13,
    ENODEV: 19,
    ENOTDIR: 20,
    EFAULT: 14,
    EINVAL: 22,
    ENFILE: 23,
    ENOSPC: 28,
    EROFS: 30,
    EMFILE: 24,
    EPIPE: 32,
    EPROTO: 71,
    ENOTSOCK: 88,
    EDESTADDRREQ: 89,
    EMSGSIZE: 90,
    EPROTOTYPE: 91,
    ENOPROTOOPT: 92,
    EPROTONOSUPPORT: 93,
    EOPNOTSUPP: 95,
    EAFNOSUPPORT: 97,
    EADDRINUSE: 98,
    EADDRNOTAVAIL: 99,
    ENETDOWN: 100,
    ENETUNREACH: 101,
    ECONNABORTED: 103,
    ECONNRESET: 104,
    ENOBUFS: 105,
    EISCONN: 106,
    ENOTCONN: 107,
    ETIMEDOUT: 110,
    ECONNREFUSED: 111,
    EHOSTDOWN: 112,
    EHOSTUNREACH: 113,
    EALREADY: 114,
    EINPROGRESS: 115,
    EBUSY: 16,
    ENOSYS: 38,
    ECANCELED: 125,
  },
};

/** macOS. It has no epoll. */
export const DARWIN: Constants = {
  AF_INET: 2,
  AF_INET6: 30,
  hasLength: true,
  AF_UNIX: 1,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0,
  FIOCLEX: 0x2000_6601,
  SOCK_NONBLOCK: 0,
  IPPROTO_IP: 0,
  IP_BIND_ADDRESS_NO_PORT: 0,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  // Its name is TCP_KEEPALIVE here.
  TCP_KEEPIDLE: 0x10,
  TCP_KEEPINTVL: 0x101,
  TCP_KEEPCNT: 0x102,
  TCP_USER_TIMEOUT: 0,
  TCP_SAVE_SYN: 0,
  TCP_SAVED_SYN: 0,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  SO_REUSEPORT: 0x200,
  SO_KEEPALIVE: 8,
  SO_ERROR: 0x1007,
  SO_PEERCRED: 0,
  SO_PEERNAME: 0,
  SO_ACCEPTCONN: 2,
  SO_COOKIE: 0,
  SO_LINGER: 0x80,
  SO_RCVBUF: 0x1002,
  SO_SNDBUF: 0x1001,
  SO_RCVTIMEO: 0x1006,
  SO_SNDTIMEO: 0x1005,
  MSG_DONTWAIT: 0x80,
  MSG_PEEK: 0x2,
  MSG_NOSIGNAL: 0x80000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  POLLIN: 1,
  POLLOUT: 4,
  POLLERR: 8,
  POLLHUP: 16,
  POLLRDHUP: 0,
  RLIMIT_NOFILE: 8,
  EPOLL_CLOEXEC: 0,
  EPOLL_CTL_ADD: 0,
  EPOLL_CTL_DEL: 0,
  EPOLL_CTL_MOD: 0,
  EPOLLIN: 0,
  EPOLLOUT: 0,
  EPOLLERR: 0,
  EPOLLHUP: 0,
  EPOLLRDHUP: 0,
  EPOLLET: 0,
  EPOLLEXCLUSIVE: 0,
  O_NONBLOCK: 0x4,
  errno: {
    EPERM: 1,
    ENOENT: 2,
    EINTR: 4,
    EBADF: 9,
    EAGAIN: 35,
    ENOMEM: 12,
    EACCES: 13,
    ENODEV: 19,
    ENOTDIR: 20,
    EFAULT: 14,
    EINVAL: 22,
    ENFILE: 23,
    ENOSPC: 28,
    EROFS: 30,
    EMFILE: 24,
    EPIPE: 32,
    EPROTO: 100,
    ENOTSOCK: 38,
    EDESTADDRREQ: 39,
    EMSGSIZE: 40,
    EPROTOTYPE: 41,
    ENOPROTOOPT: 42,
    EPROTONOSUPPORT: 43,
    EOPNOTSUPP: 102,
    EAFNOSUPPORT: 47,
    EADDRINUSE: 48,
    EADDRNOTAVAIL: 49,
    ENETDOWN: 50,
    ENETUNREACH: 51,
    ECONNABORTED: 53,
    ECONNRESET: 54,
    ENOBUFS: 55,
    EISCONN: 56,
    ENOTCONN: 57,
    ETIMEDOUT: 60,
    ECONNREFUSED: 61,
    EHOSTDOWN: 64,
    EHOSTUNREACH: 65,
    EALREADY: 37,
    EINPROGRESS: 36,
    EBUSY: 16,
    ENOSYS: 78,
    ECANCELED: 89,
  },
};

/** The numbers of each system that is known here, by the name that the runtimes give it. */
export const CONSTANTS: Readonly<Record<string, Constants>> = { linux: LINUX, darwin: DARWIN };

/** What the errors mean, in the words of strerror(3) and in lower case. */
export const ERRNO_TEXT: Readonly<Record<string, string>> = {
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  EBADF: "bad descriptor",
  EAGAIN: "timed out",
  ENOMEM: "out of memory",
  EACCES: "permission denied",
  EEXIST: "file exists",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EINVAL: "invalid argument",
  ENFILE: "too many open files on this machine",
  EMFILE: "too many open files",
  ENOSPC: "no space left",
  EROFS: "read-only file system",
  EPIPE: "broken pipe",
  EPROTOTYPE: "the socket is of another type",
  EMSGSIZE: "message too long",
  EAFNOSUPPORT: "address family not supported",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "address not available",
  ENETDOWN: "network is down",
  ENETUNREACH: "network is unreachable",
  ECONNABORTED: "connection aborted",
  ECONNRESET: "connection reset by peer",
  ENOBUFS: "no buffer space available",
  ENOTCONN: "not connected",
  ENOTFOUND: "host not found",
  ETIMEDOUT: "connection timed out",
  ECONNREFUSED: "connection refused",
  EHOSTDOWN: "host is down",
  EHOSTUNREACH: "no route to host",
};

/**
 * What a runtime's error means, in the same words on every runtime.
 *
 * @param error an error of the runtime, with the system's name for it in `code`
 * @returns for instance `connection refused (ECONNREFUSED)`; the error's own message if its code
 * is unknown here
 */
export function describeSystemError(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const text = code === undefined ? undefined : ERRNO_TEXT[code];
  return text === undefined ? message ?? String(error) : `${text} (${code})`;
}

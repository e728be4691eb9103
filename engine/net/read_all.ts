/**
 * Reads the whole text of a file that is open.
 *
 * @module
 */

/** How much is read at a time, in bytes. Most files of the system are shorter. */
const READ_BYTES = 16 * 1024;

/**
 * What is read lies here until it is text. Each process that is started reads some files of the system:
 * with a buffer of its own for each of them, a parent of very many would fill its memory with those.
 */
let memory: Uint8Array<ArrayBuffer> | undefined;

/**
 * Reads text to its end, in UTF-8.
 *
 * @param read reads some bytes into a buffer and returns how many, 0 at the end; its second argument
 * is how many bytes have been read before
 */
export function readAll(read: (buffer: Uint8Array, at: number) => number): string {
  const decoder = new TextDecoder();
  const buffer = memory ??= new Uint8Array(READ_BYTES);
  let text = "";
  let at = 0;
  for (let count = read(buffer, at); count > 0; count = read(buffer, at)) {
    at += count;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}

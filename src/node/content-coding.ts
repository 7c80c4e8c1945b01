import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";

const decodeGzip = promisify(gunzip);
const decodeDeflate = promisify(inflate);
const decodeRawDeflate = promisify(inflateRaw);
const decodeBrotli = promisify(brotliDecompress);

/**
 * A body without its content coding; `undefined` for a coding that can't be read.
 *
 * @param coding - the value of `Content-Encoding`
 * @param maxBytes - bytes that the decoded body may have
 * @throws RangeError where it has more; Error where the bytes are not in that coding
 */
export async function decodeContent(coding: string, bytes: Buffer, maxBytes: number): Promise<Buffer | undefined> {
  const limits = { maxOutputLength: maxBytes };
  switch (coding.trim().toLowerCase()) {
    case "":
    case "identity":
      return bytes;
    case "gzip":
    case "x-gzip":
      return decodeGzip(bytes, limits);
    case "deflate":
      // Some send it without the wrapping that its specification asks for; the first byte tells.
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? decodeDeflate(bytes, limits) : decodeRawDeflate(bytes, limits);
    case "br":
      return decodeBrotli(bytes, limits);
    default:
      return undefined;
  }
}

// Files on their way up. XMLHttpRequest, because fetch does not tell how far it is.

/** What came of an upload. */
export type Uploaded = { id: string } | { code: string; retryAfter?: number };

/** Brings a file up. `stop` gives it up: then nothing is told any more. */
export function upload(
  address: string,
  token: string,
  file: File,
  progress: (part: number) => void,
  done: (outcome: Uploaded) => void,
): { stop: () => void } {
  const request = new XMLHttpRequest();
  request.open("POST", `${address}/uploads?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("authorization", `Bearer ${token}`);
  request.responseType = "json";
  request.timeout = TIME_MS;
  request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
  request.onload = () => done(outcome(request.status, request.response));
  request.onerror = request.ontimeout = () => done({ code: "unavailable" });
  request.send(file);
  return {
    stop: () => {
      request.onload = request.onerror = request.ontimeout = request.upload.onprogress = null;
      request.abort();
    },
  };
}

function outcome(status: number, body: unknown): Uploaded {
  const answer = (body ?? {}) as {
    id?: unknown;
    frames?: { code?: unknown; retry_after_ms?: unknown }[];
  };
  if (status === 201 && typeof answer.id === "string") return { id: answer.id };
  const error = answer.frames?.[0];
  if (typeof error?.code === "string") {
    const { code, retry_after_ms: after } = error;
    return typeof after === "number" ? { code, retryAfter: after } : { code };
  }
  // Something between the server and us answered.
  return { code: status === 413 ? "too_large" : "unavailable" };
}

/** The largest file over the slowest line that is worth waiting for. */
const TIME_MS = 300_000;

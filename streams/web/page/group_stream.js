/** The view of the group as a worker streams it; where the stream is lost, that is said, and it is sought again. */

const SILENT_MS = 8_000;
const RETRY_MS = 2_000;
const ANSWER_MS_MAX = 5_000;

/**
 * @typedef {object} GroupListener
 * @property {(snapshot: GroupSnapshot) => void} snapshot The view with its history, at each new beginning.
 * @property {(view: GroupView) => void} view
 * @property {(reason: string) => void} lost
 */

/**
 * Follow the group for as long as the page is open.
 *
 * The worker ends a stream now and then, and that is no loss: one is only where the next cannot be had,
 * or where a stream says nothing for some seconds (the worker is frozen, or the network cut).
 */
export class GroupStream {
  /** @param {GroupListener} listener */
  constructor(listener) {
    this._listener = listener;
    /** @type {EventSource | null} */
    this._source = null;
    this._timer = 0;
  }

  /** Begin, or begin again. */
  async connect() {
    clearTimeout(this._timer);
    try {
      const response = await fetch("group", { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      if (!response.ok) throw new Error(refusalText(response.status));
      const snapshot = /** @type {GroupSnapshot} */ (await response.json());
      this._heard();
      this._listener.snapshot(snapshot);
      this._open();
    } catch (error) {
      this._listener.lost(reasonText(error));
      this._timer = setTimeout(() => this.connect(), RETRY_MS);
    }
  }

  _open() {
    const source = new EventSource("group/events");
    this._source = source;
    source.addEventListener("group", (event) => {
      this._heard();
      this._listener.view(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      source.close();
      clearTimeout(this._timer);
      this._timer = setTimeout(() => this.connect(), RETRY_MS);
    });
  }

  _heard() {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._onSilence(), SILENT_MS);
  }

  _onSilence() {
    this._source?.close();
    this._listener.lost("The worker says nothing");
    this.connect();
  }
}

/** @param {number} status */
function refusalText(status) {
  return status === 401
    ? "The worker asks for its token: load the page again"
    : `The worker answers with HTTP ${status}`;
}

/** @param {unknown} error */
function reasonText(error) {
  if (error instanceof DOMException && error.name === "TimeoutError") return "The worker says nothing";
  if (error instanceof TypeError) return "The worker cannot be reached";
  return error instanceof Error ? error.message : String(error);
}

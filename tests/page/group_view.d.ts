// Written by `python -m tests.page.view_types` from streams/monitoring.

type AlertView = {
  readonly name: string;
  readonly severity: string;
  readonly sentence: string;
  readonly first_step: string;
  readonly runbook: string;
};

type CodingCount = {
  readonly action: string;
  readonly code: string;
  readonly instrument: string;
  readonly payer: string;
  readonly program: string;
  readonly count: number;
};

type Condition = "idle" | "up to date" | "behind" | "recovering" | "broken";

type DeadLetterSeen = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly timestamp_ms: number;
};

type GroupSnapshot = {
  readonly view: GroupView;
  readonly history: readonly HistoryColumn[];
};

type GroupView = {
  readonly at_ms: number;
  readonly app_id: string;
  readonly condition: Condition;
  readonly sentence: string;
  readonly cause: string | null;
  readonly broker_trouble: string | null;
  readonly group_state: string | null;
  readonly lag_records: number;
  readonly lag_seconds: number;
  readonly lag_seconds_high: number;
  readonly catch_up_seconds: number | null;
  readonly in_per_second: number | null;
  readonly out_per_second: number | null;
  readonly latency: LatencyView;
  readonly partitions: readonly PartitionView[];
  readonly workers: readonly WorkerView[];
  readonly dead_letters: Readonly<Record<string, number>>;
  readonly newest_dead_letters: readonly DeadLetterSeen[];
  readonly codings: readonly CodingCount[];
  readonly alerts: readonly AlertView[];
};

type HistoryColumn = {
  readonly at_ms: number;
  readonly lag_records: number;
  readonly lag_seconds: number;
  readonly in_per_second: number;
  readonly out_per_second: number;
  readonly partitions: Readonly<Record<string, number>>;
};

type LatencyView = {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

type PartitionView = readonly [topic: string, partition: number, lag_records: number, lag_seconds: number, worker: string | null];

type WorkerView = {
  readonly place: string;
  readonly host: string | null;
  readonly phase: string;
  readonly silent_seconds: number | null;
  readonly partitions: readonly number[];
  readonly records_per_second: number;
  readonly episodes: number;
  readonly episode_bytes: number;
  readonly resident_bytes: number;
  readonly restore_remaining_records: number;
  readonly rebalances: number;
  readonly build: string | null;
  readonly policy: string | null;
  readonly endings: Readonly<Record<string, number>>;
  readonly trouble: string | null;
};

package g9603.bench.coding;

/** What the bench tells an engine, through environment variables. */
public final class Environment {
  public static final String BOOTSTRAP_SERVERS = required("BENCH_BOOTSTRAP_SERVERS");
  public static final String APP_ID = required("BENCH_APP_ID");
  public static final String SURVEYS = required("BENCH_SURVEYS");
  public static final String TREATMENTS = required("BENCH_TREATMENTS");
  public static final String CODES = required("BENCH_CODES");
  public static final String LOCAL_FOLDER = required("BENCH_LOCAL_FOLDER");
  public static final String DURABLE_FOLDER = required("BENCH_DURABLE_FOLDER");

  private Environment() {}

  public static String required(String name) {
    String value = System.getenv(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalStateException(name + " is not set: the bench starts this program.");
    }
    return value;
  }
}

package calls;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.postgresql.Driver;

/** A PostgreSQL, by a connection that is kept from one invocation to the next until it breaks, or by a new one for each. */
final class Database implements Callable<Object> {
    private static final String URL = System.getenv("DATABASE");

    private final boolean isNewEachTime;
    private Connection kept;

    private Database(boolean isNewEachTime) {
        this.isNewEachTime = isNewEachTime;
    }

    static Callable<Object> asked(boolean isNewEachTime) {
        return new Database(isNewEachTime);
    }

    @Override
    public Object call() throws SQLException {
        if (kept == null) {
            Properties options = new Properties();
            options.put("user", "tests");
            options.put("connectTimeout", "1");
            options.put("socketTimeout", "1");
            kept = new Driver().connect(URL, options);
        }
        boolean isWhole = false;
        try {
            kept.createStatement().executeQuery("select 1").close();
            isWhole = !isNewEachTime;
            return "asked";
        } finally {
            if (!isWhole) {
                kept.close();
                kept = null;
            }
        }
    }
}

// test_scrub: what is hidden of texts of other people's programs, and what must stay byte for byte.
#include "support/test.h"

#include <sys/mman.h>

#include "base/scrub_plant.h"

// What goes, and what must come out.
struct scrub_case {
    const char *text, *shown;
};
static const struct scrub_case secrets[] = {
    // URLs
    {"jdbc:postgresql://etl:hunter2@db:5432/x?ssl=true",
     "jdbc:postgresql://[hidden]@db:5432/x?ssl=true"},
    {"Cannot open jdbc:oracle:thin:scott/tiger@db:1521:orcl",
     "Cannot open jdbc:oracle:thin:[hidden]@db:1521:orcl"},
    {"jdbc:oracle:thin:scott/ti/ger@//db:1521/svc", "jdbc:oracle:thin:[hidden]@//db:1521/svc"},
    {"jdbc:oracle:oci:scott/tiger@orcl", "jdbc:oracle:oci:[hidden]@orcl"},
    {"mongodb+srv://app:p%40ss@c0.mongodb.net/db", "mongodb+srv://[hidden]@c0.mongodb.net/db"},
    {"s3a://KEY:SECRETvalue@bucket/path", "s3a://[hidden]@bucket/path"},
    {"redis://:hunter2@cache:6379/0", "redis://[hidden]@cache:6379/0"},
    {"https://user:p@ss@w0rd@host/a", "https://[hidden]@host/a"},
    {"amqp://u:pa/ss@mq:5672/vh", "amqp://[hidden]@mq:5672/vh"},
    {"amqp://u:pa?ss@mq:5672/vh", "amqp://[hidden]@mq:5672/vh"},
    {"https://0123abcd@sentry.io/1", "https://[hidden]@sentry.io/1"},
    {"http://a:8080,http://u:pw@b:8080", "http://a:8080,http://[hidden]@b:8080"},
    {"open https:\\/\\/u:pw@host\\/x failed", "open https:\\/\\/[hidden]@host\\/x failed"},
    {"proxy=http%3A%2F%2Fu%3Apw%40host%2Fx", "proxy=http%3A%2F%2F[hidden]%40host%2Fx"},
    {"could not reach user:hunter2@proxy.local:8080", "could not reach [hidden]@proxy.local:8080"},
    {"cut in jdbc:mysql://root:hunt", "cut in jdbc:mysql://[hidden]"},
    {"jdbc:mysql://h/db?user=root&password=hunter2&ssl=1",
     "jdbc:mysql://h/db?user=root&password=[hidden]&ssl=1"},
    {"jdbc:sqlserver://h:1433;user=sa;password=my pass word;encrypt=true",
     "jdbc:sqlserver://h:1433;user=sa;password=[hidden];encrypt=true"},
    {"https://acc.blob.core.windows.net/c?sv=2022&sig=abc%2Bdef%3D&se=1",
     "https://acc.blob.core.windows.net/c?sv=2022&sig=[hidden]&se=1"},
    {"GET https://h/x?access_token=abcdef&x=1", "GET https://h/x?access_token=[hidden]&x=1"},
    {"https://h/b/"
     "o?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F2024&X-Amz-Signature=fe5f80&X-Amz-Security-Token="
     "abc",
     "https://h/b/"
     "o?X-Amz-Credential=[hidden]&X-Amz-Signature=[hidden]&X-Amz-Security-Token=[hidden]"},
    // keys
    {"password=hunter2", "password=[hidden]"},
    {"PASSWD = hunter2, user = x", "PASSWD = [hidden], user = x"},
    {"pwd=x", "pwd=[hidden]"},
    {"pass: hunter2", "pass: [hidden]"},
    {"dbPass=hunter2", "dbPass=[hidden]"},
    {"{password=hunter2, user=x}", "{password=[hidden], user=x}"},
    {"{\"password\":\"hunter 2\",\"user\":\"x\"}", "{\"password\":\"[hidden]\",\"user\":\"x\"}"},
    {"{\"password\": 12345}", "{\"password\": [hidden]}"},
    {"{\\\"password\\\":\\\"hun\\\\\\\"ter2\\\",\\\"user\\\":1}",
     "{\\\"password\\\":\\\"[hidden]\\\",\\\"user\\\":1}"},
    {"{'api_key': 'abc', 'x': 1}", "{'api_key': '[hidden]', 'x': 1}"},
    {"token\":\"abcdefg\"", "token\":\"[hidden]\""},
    {"spark.hadoop.fs.s3a.secret.key=wJalrXUtnFEMI", "spark.hadoop.fs.s3a.secret.key=[hidden]"},
    {"(spark.ssl.keyStorePassword,hunter2)", "(spark.ssl.keyStorePassword,[hidden])"},
    {"[('password', 'hunter2'), ('a', 'b')]", "[('password', '[hidden]'), ('a', 'b')]"},
    {"fs.azure.account.key.acc.dfs.core.windows.net=Zm9v",
     "fs.azure.account.key.acc.dfs.core.windows.net=[hidden]"},
    {"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9vYmFy==;EndpointSuffix=x",
     "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=[hidden];EndpointSuffix=x"},
    {"Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=abc=",
     "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=[hidden]"},
    {"SharedAccessSignature=sv%3D2", "SharedAccessSignature=[hidden]"},
    {"aws_secret_access_key = abc/def", "aws_secret_access_key = [hidden]"},
    {"secretAccessKey: 'ab c", "secretAccessKey: '[hidden]"},
    {"client_secret=a,b!c d", "client_secret=[hidden] d"},
    {"clientSecret: x1y2", "clientSecret: [hidden]"},
    {"PGPASSWORD=hunter2 psql", "PGPASSWORD=[hidden] psql"},
    {"api-key: abc123", "api-key: [hidden]"},
    {"X-Api-Key: abc", "X-Api-Key: [hidden]"},
    {"X-Auth-Token: swordfish", "X-Auth-Token: [hidden]"},
    {"private_key_passphrase='it''s me' next", "private_key_passphrase='[hidden]' next"},
    {"password%3Dhunter2%26user%3Dx", "password%3D[hidden]%26user%3Dx"},
    {"%22password%22%3A%22hunter2%22", "%22password%22%3A%22[hidden]%22"},
    {"password\\u003dhunter2", "password\\u003d[hidden]"},
    {"password2 => \"x y\"", "password2 => \"[hidden]\""},
    {"passwordValue=abc", "passwordValue=[hidden]"},
    {"<password>hunter 2</password>", "<password>[hidden]</password>"},
    {"<name>fs.s3a.secret.key</name> <value>abc</value>",
     "<name>fs.s3a.secret.key</name> <value>[hidden]</value>"},
    {"{\"name\": \"db_password\", \"value\": \"hunter2\"}",
     "{\"name\": \"db_password\", \"value\": \"[hidden]\"}"},
    {"config['password'] = 'x'", "config['password'] = '[hidden]'"},
    {"Filter (password#12 = hunter2)", "Filter (password#12 = [hidden])"},
    {"WHERE passwd = 'hunter2' AND a = 1", "WHERE passwd = '[hidden]' AND a = 1"},
    {"CREATE USER x IDENTIFIED BY 'hunter2'", "CREATE USER x IDENTIFIED BY '[hidden]'"},
    {"Wrong password 'swordfish' for root", "Wrong password '[hidden]' for root"},
    {"the password is hunter2", "the password is [hidden]"},
    {"login with password Tr0ub4dor failed", "login with password [hidden] failed"},
    {"secrets: {\"secret\": {\"a\": \"b\"}}", "secrets: {\"secret\": [hidden]}"},
    {"Account Key: Zm9v", "Account Key: [hidden]"},
    {"access key id: XYZ", "access key id: [hidden]"},
    {"com.amazon.Auth (token=hunter2)", "com.amazon.Auth (token=[hidden])"},
    {"delegation token 0123456789abcdef01", "delegation token [hidden]"},
    {"JSESSIONID=0A1B2C; path=/", "JSESSIONID=[hidden]; path=/"},
    // headers and commands
    {"Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [hidden]"},
    {"Authorization: Bearer abc.def-ghi rejected", "Authorization: Bearer [hidden] rejected"},
    {"\"Authorization\": \"Bearer abc\"", "\"Authorization\": \"Bearer [hidden]\""},
    {"curl -H 'Authorization: token abcdef' https://h",
     "curl -H 'Authorization: token [hidden]' https://h"},
    {"sent Bearer a1b2c3d4", "sent Bearer [hidden]"},
    {"sent Basic dXNlcjpwYXNz", "sent Basic [hidden]"},
    {"mysql -u root -phunter2 -h db", "mysql -u root -p[hidden] -h db"},
    {"mysql -u root -p hunter2 -h db", "mysql -u root -p [hidden] -h db"},
    {"sshpass -p hunter2 ssh h", "sshpass -p [hidden] ssh h"},
    {"curl -u admin:hunter2 https://h", "curl -u admin:[hidden] https://h"},
    {"curl --user admin:hunter2 https://h", "curl --user admin:[hidden] https://h"},
    {"run.sh --db-password hunter2 --x 1", "run.sh --db-password [hidden] --x 1"},
    {"run.sh --token abc", "run.sh --token [hidden]"},
    {"java -Dssl.keyPassword=hunter2 -jar x", "java -Dssl.keyPassword=[hidden] -jar x"},
    {"KafkaClient { ScramLoginModule required username=\"u\" password=\"hunter2\"; };",
     "KafkaClient { ScramLoginModule required username=\"u\" password=\"[hidden]\"; };"},
    // shapes
    {"denied for AKIAIOSFODNN7EXAMPLE here", "denied for [hidden] here"},
    {"ASIAY34FZKBOKMUTVV7A", "[hidden]"},
    {"cut at AKIAIOSF", "cut at [hidden]"},
    {"key AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe!", "key [hidden]!"},
    {"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27 end", "jwt [hidden] end"},
    {"ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[hidden]"},
    {"github_pat_11ABCDEFG0_abcdefghijkl", "[hidden]"},
    {"glpat-abcdEFGH12345678", "[hidden]"},
    {"xoxb-1234-5678-abcdefgh", "[hidden]"},
    {"sk-abcdefghijkl1234MNOPqrst", "[hidden]"},
    {"dapi0123456789abcdef0123456789abcdef", "[hidden]"},
    {"hf_abcdEFGHijklMNOPqrst", "[hidden]"},
    {"got wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY!", "got [hidden]!"},
    {"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==", "[hidden]=="},
    {"x k2J9sQ0vXz7Lm4Tn8Rb1Yc5Wd3Fg6Hp0Aa= y", "x [hidden]= y"},
    {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nend",
     "[hidden]\nend"},
    {"pem -----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n x",
     "pem [hidden]\\n x"},
    {"cut -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh", "cut [hidden]"},
};

static void secrets_are_hidden_and_their_keys_stay(void **state) {
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        struct buf out = {0};
        scrub_add(&out, str_of(secrets[i].text));
        if (strcmp(buf_text(&out), secrets[i].shown) != 0) {
            print_error("%s\n  came out as %s\n  not as      %s\n", secrets[i].text, buf_text(&out),
                        secrets[i].shown);
            wrong++;
        }
        buf_fini(&out);
    }
    assert_int_equal(wrong, 0);
}

static const char *const ordinary[] = {
    "Job aborted due to stage failure: Task 3 in stage 12.0 failed 4 times, most recent failure: "
    "Lost task 3.3 in stage 12.0 (TID 417) (ip-10-1-2-3.eu-west-1.compute.internal executor 7): "
    "java.lang.OutOfMemoryError: Java heap space",
    "\tat "
    "org.apache.spark.sql.catalyst.expressions.GeneratedClass$GeneratedIteratorForCodegenStage12."
    "processNext(Unknown Source)",
    "\tat "
    "java.base/java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:635)",
    "FetchFailed(BlockManagerId(7, ip-10-0-0-7.ec2.internal, 7337, None), shuffleId=3, "
    "mapIndex=12, mapId=4711, reduceId=99, "
    "message=\norg.apache.spark.shuffle.FetchFailedException: Connection reset by peer",
    "org.apache.spark.sql.AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or "
    "function parameter with name `token_count` cannot be resolved. Did you mean one of the "
    "following? [`tokens`, `id`]; line 1 pos 7; 'Filter ('token_count = 5)",
    "cannot resolve 'password' given input columns: [id, name]; line 1 pos 7",
    "SELECT token_count, secret_name FROM t WHERE token_count = 5 AND key = 7",
    "((a.token_id#12 = b.token_id#45) AND (max_tokens#7 <= 4096))",
    "(password#12 = password#45)",
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "FATAL: password authentication failed for user \"etl\"",
    "Invalid password: must be at least 8 characters",
    "Unexpected token: FROM at line 3",
    "Unrecognized token 'abc123': was expecting (JSON String, Number, Array, Object or token "
    "'null', 'true' or 'false')",
    "token (token for alice: HDFS_DELEGATION_TOKEN owner=alice, renewer=yarn, sequenceNumber=12, "
    "masterKeyId=3) can't be found in cache",
    "Failed to renew token: org.apache.hadoop.security.token.SecretManager$InvalidToken: token "
    "expired",
    "SIMPLE authentication is not enabled.  Available:[TOKEN, KERBEROS]",
    "Unable to load AWS credentials from any provider in the chain",
    "Unable to load credentials from any of the providers in the chain "
    "AwsCredentialsProviderChain(credentialsProviders=[SystemPropertyCredentialsProvider(), "
    "EnvironmentVariableCredentialsProvider()])",
    "MountVolume.SetUp failed for volume \"spark-secret\" : secret \"spark-secret\" not found",
    "com.amazonaws.services.s3.model.AmazonS3Exception: Forbidden (Service: Amazon S3; Status "
    "Code: 403; Error Code: 403 Forbidden; Request ID: 4442587FB7D0A2F9; S3 Extended Request ID: "
    "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=)",
    "Path does not exist: "
    "s3a://bucket/warehouse/db.db/table/dt=2024-01-01/"
    "part-00000-6c2f7d1e-8b1a-4c55-9f8e-1d2c3b4a5f60-c000.snappy.parquet",
    "abfss://container@account.dfs.core.windows.net/data/2024/01/01",
    "akka.tcp://sparkDriver@10.0.0.1:7077/user/CoarseGrainedScheduler",
    "spark://CoarseGrainedScheduler@driver-svc.ns.svc:7078",
    "git@github.com:org/repo.git",
    "Login failure for nn/host.example.com@EXAMPLE.COM from keytab /etc/security/nn.keytab",
    "java.util.concurrent.RejectedExecutionException: Task "
    "java.util.concurrent.FutureTask@1f2e3d4c rejected from ThreadPoolExecutor@5a6b7c8d[Running, "
    "pool size = 4]",
    "image "
    "registry:5000/"
    "spark:3.5@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 not found",
    "application_1700000000000_0001 container_e17_1700000000000_0001_01_000002 exited with code "
    "137",
    "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 of app-20240101120000-0007",
    "block BP-1234567-10.0.0.1-1600000000000:blk_1073741825_1001 is missing",
    "rdd_12_3 broadcast_4_piece0 shuffle_0_1_2.data "
    "temp_shuffle_6c2f7d1e-8b1a-4c55-9f8e-1d2c3b4a5f60",
    "file:/tmp/blockmgr-6c2f7d1e-8b1a-4c55-9f8e-1d2c3b4a5f60/0e/shuffle_0_1_2.index (No such file "
    "or directory)",
    "PWD=/opt/spark/work-dir HOME=/root",
    "mkdir -p /tmp/x; ssh -p 22 host",
    "spark.redaction.regex (?i)secret|password|token|access[.]key",
    "(spark.ssl.keyPassword,*********(redacted))",
    "password: null, token=null, secret=${MY_SECRET}, passwd=<password>",
    "Basic Authentication is disabled; use Bearer authentication",
    "method signature: (Ljava/lang/String;)V, key: value, auth: SASL_PLAIN",
    "org.apache.parquet.io.ParquetDecodingException: Can not read value at 0 in block -1 in file "
    "hdfs://nn:8020/user/hive/warehouse/t/part-00000",
    "Detected implicit cartesian product for INNER join; Relation[id#1L,name#2] parquet",
    "Total size of serialized results of 12 tasks (1024.3 MiB) is bigger than "
    "spark.driver.maxResultSize (1024.0 MiB)",
    "ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Container "
    "killed by YARN for exceeding physical memory limits. 5.5 GB of 5.5 GB physical memory used.",
    "java.lang.ClassCastException: class "
    "com.example.MyVeryLongClassNameWithManyCamelCaseWords2Impl cannot be cast",
    "at sun.reflect.GeneratedMethodAccessor1234.invoke(Unknown Source) at "
    "$line14.$read$$iw$$iw$$Lambda$1234/0x0000000840d5c840",
    "Caused by: java.sql.SQLException: ORA-01017: invalid username/password; logon denied",
    "collect at /opt/jobs/etl_daily.py:42",
    "save at NativeMethodAccessorImpl.java:0",
    "The secret manager is not running; no token was found for service hdfs://nn:8020",
    "compilation pass 2 of 3; bypass=true; compass: north",
    "Kafka topic-partition events-3 offset 12345, group id "
    "spark-kafka-source-6c2f7d1e-8b1a-4c55-9f8e-1d2c3b4a5f60-1234567-driver-0",
    "kafka brokers PLAINTEXT://a:9092,SSL://b:9093 are away",
    "pod etl-1a2b3c4d5e6f7a8b-exec-12 in namespace data-platform was evicted: The node was low on "
    "resource: memory.",
    "\xC3\xA9\xE2\x82\xAC Pr\xC3\xBC"
    "fung fehlgeschlagen: Gr\xC3\xB6\xC3\x9F"
    "e = 5",
    "",
    "=",
    ":",
    "//",
    "://@",
    "password",
    "password=",
    "token:",
    "%",
    "\\",
    "-",
    "--",
    "-p",
    "'",
    "[hidden]",
};

static void ordinary_texts_stay_byte_for_byte(void **state) {
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(ordinary); i++) {
        struct buf out = {0};
        scrub_add(&out, str_of(ordinary[i]));
        if (strcmp(buf_text(&out), ordinary[i]) != 0) {
            print_error("%s\n  came out as %s\n", ordinary[i], buf_text(&out));
            wrong++;
        }
        buf_fini(&out);
    }
    assert_int_equal(wrong, 0);
}

// Calls `each` with the lines of a fixture; returns how many there are.
static int each_line(const char *path, void (*each)(struct str line, struct str shown)) {
    char line[1024];
    int count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; count++) {
        struct str text = {line, strcspn(line, "\n")};
        struct buf shown = {0};
        scrub_add(&shown, text);
        each(text, buf_str(&shown));
        plant_check(text);
        buf_fini(&shown);
    }
    fclose(file);
    return count;
}

static void assert_hidden(struct str line, struct str shown) {
    if (str_contains(shown, STR("S3cr3t"))) {
        fail_msg("%.*s\n  came out as %.*s", (int)line.len, line.p, (int)shown.len, shown.p);
    }
}
static void assert_as_it_was(struct str line, struct str shown) {
    if (!str_eq(line, shown)) {
        fail_msg("%.*s\n  came out as %.*s", (int)line.len, line.p, (int)shown.len, shown.p);
    }
}

// A line each: whatever has S3cr3t in it is hidden; what errors say of keys, tokens and passwords
// without telling one stays.
static void many_ways_to_write_them(void **state) {
    (void)state;
    assert_in_range(each_line(FIXTURES "/scrub/secrets.txt", assert_hidden), 150, 10000);
    assert_in_range(each_line(FIXTURES "/scrub/ordinary.txt", assert_as_it_was), 100, 10000);
}

static void names_alone_say_that_a_value_is_a_secret(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool setting, property;
    } cases[] = {
        {"sasl.PassWord", 1, 1},
        {"oauth.client.secret", 1, 1},
        {"bearer_token", 1, 1},
        {"fs.credentials.provider", 1, 1},
        {"sasl.jaas.config", 1, 1},
        {"assertion.jwt.template", 1, 0},
        {"ssl.key.pem", 1, 1},
        {"sasl.oauthbearer.config", 1, 1},
        {"sasl.oauthbearer.extensions", 1, 1},
        {"sasl.kerberos.kinit.cmd", 1, 0},
        {"ssl.key.location", 0, 1},
        {"access.key", 0, 1},
        {"authenticate", 0, 1},
        {"executor.memory", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str name = str_of(cases[i].name);
        assert_int_equal(scrub_hides_setting(name), cases[i].setting);
        assert_int_equal(scrub_hides_property(name), cases[i].property);
    }
}

// Whatever a text is cut to before it comes here, and wherever it begins.
static void every_piece_of_every_text_keeps_the_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(secrets) + ARRAY_LEN(ordinary); i++) {
        struct str text =
            str_of(i < ARRAY_LEN(secrets) ? secrets[i].text : ordinary[i - ARRAY_LEN(secrets)]);
        for (size_t k = i % 3; k < text.len; k += 3) {
            plant_check((struct str){text.p, k});
            plant_check((struct str){text.p + k, text.len - k});
        }
    }
}

// clang-format off
static const char *const random_pieces[] = {"password", "=", ":", " ", "'", "\"", "\\", "[hidden]", "hidden", "[", "]", "{", "}", "(", ")",
    ",", ";", "&", "%3D", "%22", "://", "//", "/", "@", "token", "key", "secret", "Bearer", "Basic",
    "-p", "-u", "--", "-----BEGIN ", "-----END ", "eyJ", "AKIA", "jdbc:oracle:thin:", "user", "h.x",
    "Zq7xW2vK9m", "12", "null", "***", "\n", "\xC3\xA9", "\xFF", "<", ">", "</", "name", "value",
    "is ", "#12", ".core.windows.net", "%40", "%3A%2F%2F", "->", "..", "_", "x"};
// clang-format on

static void random_letters_keep_the_rules(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        struct buf text = {0};
        for (uint64_t n = test_random(&seed) % 14; n > 0; n--) {
            buf_add_text(&text, random_pieces[test_random(&seed) % ARRAY_LEN(random_pieces)]);
        }
        if (test_random(&seed) % 8 == 0) {
            buf_add_char(&text, '\0');
            buf_add_text(&text, random_pieces[test_random(&seed) % ARRAY_LEN(random_pieces)]);
        }
        plant_check(buf_str(&text));
        buf_fini(&text);
    }
}

static void a_secret_is_found_in_any_text(void **state) {
    (void)state;
    static const char *const words[] = {"hunter2x", "Tr0ub4dor", "Zm9vYmFyYmF6", "a-b_c9d8e7"};
    for (size_t i = 0; i < ARRAY_LEN(ordinary); i++) {
        for (size_t how = 0; how < ARRAY_LEN(plants); how++) {
            for (size_t w = 0; w < ARRAY_LEN(words); w++) {
                plant_secret(how, str_of(words[w]), str_of(ordinary[i]));
            }
        }
    }
}

static void the_head_of_a_secret_that_was_cut_is_hidden(void **state) {
    (void)state;
    static const char secret[] = "Tr0ub4dor3xyz";
    for (size_t how = 0; how < ARRAY_LEN(plants); how++) {
        for (size_t len = 3; len < sizeof secret; len++) {
            struct buf text = {0}, shown = {0};
            buf_printf(&text, "it says %s%.*s", plants[how].before, (int)len, secret);
            scrub_add(&shown, buf_str(&text));
            assert_null(strstr(buf_text(&shown), "Tr0"));
            buf_fini(&text);
            buf_fini(&shown);
        }
    }
    char copy[24]; // hidden first, cut then: neither the secret's head nor half a mark
    scrub_copy(copy, sizeof copy, STR("it said password=Tr0ub4dor3xyz here"));
    assert_string_equal(copy, "it said password=");
    scrub_copy(copy, sizeof copy, STR("reached user:hunter2longer@proxy.local:80"));
    assert_string_equal(copy, "reached [hidden]@proxy.");
    assert_false(scrub_copy(copy, sizeof copy, STR("password=x")));
    assert_true(scrub_copy(copy, sizeof copy, STR("nothing at all")));
}

// Written so that every word makes the scrubber look at all that follows: what would take the
// square of the text's length is taken for a secret from where its due is spent.
static void a_text_made_to_be_slow_is_hidden(void **state) {
    static const char *const pieces[] = {"key=",  "token=(",  "password=${", "pwd=/",
                                         "LTAI.", "https://", "--user=",     "key=\\"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct buf text = {0}, shown = {0};
        buf_add_text(&text, "first ");
        while (text.len < 16 << 10) {
            buf_add_text(&text, pieces[i]);
        }
        scrub_add(&shown, buf_str(&text));
        assert_true(scrub_is_clean(buf_str(&shown)));
        assert_memory_equal(shown.data, "first ", 6);
        assert_true(shown.len < text.len / 8);
        buf_fini(&text);
        buf_fini(&shown);
    }
}

// Texts that ask every rule again and again. Of what claims to be 1 MiB only the beginning is
// there: who looks beyond it touches the page behind, which may not be read.
static void long_texts_are_looked_at_to_a_bound(void **state) {
    (void)state;
    static const char *const pieces[] = {"a://",      "password ", "a:b",        "'",
                                         "%3A%2F%2F", "(",         "password=[", "-----BEGIN ",
                                         "token,",    "a.",        "=\"",        "aB3"};
    enum { THERE = 8192, WALL = 65536 };
    char *map = mmap(NULL, 2L * WALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map + WALL, WALL, PROT_NONE), 0);
    char *text = map + WALL - THERE;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        char copy[513];
        size_t len = strlen(pieces[i]);
        for (size_t at = 0; at < THERE; at++) {
            text[at] = pieces[i][at % len];
        }
        scrub_copy(copy, sizeof copy, (struct str){text, 1 << 20});
        assert_true(scrub_is_clean(str_of(copy)));
    }
    munmap(map, 2L * WALL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_hidden_and_their_keys_stay),
        cmocka_unit_test(ordinary_texts_stay_byte_for_byte),
        cmocka_unit_test(many_ways_to_write_them),
        cmocka_unit_test(names_alone_say_that_a_value_is_a_secret),
        cmocka_unit_test(every_piece_of_every_text_keeps_the_rules),
        cmocka_unit_test(random_letters_keep_the_rules),
        cmocka_unit_test(a_secret_is_found_in_any_text),
        cmocka_unit_test(the_head_of_a_secret_that_was_cut_is_hidden),
        cmocka_unit_test(a_text_made_to_be_slow_is_hidden),
        cmocka_unit_test(long_texts_are_looked_at_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

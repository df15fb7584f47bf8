/** How the operation a verb begins is written in a summary, and where its targets stand. */
export interface Verb {
  /** Words that belong to the operation's name when they follow it at once. */
  follow?: ReadonlySet<string>;
  /** A target follows, behind any of the words in `skip`. */
  target?: boolean;
  skip?: ReadonlySet<string>;
  /** Further targets may follow behind commas. */
  list?: boolean;
  /** Parentheses between the verb and its target hold options. */
  options?: boolean;
  /** Nothing behind the name and the target is an operation or a target. */
  last?: boolean;
  /** Another verb may follow: `EXPLAIN SELECT`, `BEGIN UPDATE`. */
  prefix?: boolean;
  procedure?: boolean;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

const TRANSACTION = words('TRANSACTION TRAN WORK TO SAVEPOINT PREPARED');
const TABLES = words('TABLE TABLES');
const MAINTAIN: Verb = {
  follow: words('TABLE TABLES INDEX DATABASE SCHEMA SYSTEM'),
  target: true,
  skip: words('FULL FREEZE VERBOSE ANALYZE LOCAL NO_WRITE_TO_BINLOG CONCURRENTLY'),
  list: true,
  options: true,
};
const DEFINE: Verb = {};
const NAME_ONLY: Verb = { last: true };
// A savepoint, cursor or prepared statement has a name of the moment, which is no target.
const END: Verb = { follow: TRANSACTION, last: true };

/** What begins a statement. A word that is not here never reaches a summary as an operation. */
export const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['SELECT', {}],
  [
    'INSERT',
    {
      target: true,
      skip: words(
        'INTO IGNORE LOW_PRIORITY DELAYED HIGH_PRIORITY OR REPLACE ROLLBACK ABORT FAIL OVERWRITE TABLE ALL FIRST TOP',
      ),
    },
  ],
  ['REPLACE', { target: true, skip: words('INTO LOW_PRIORITY DELAYED') }],
  [
    'UPDATE',
    {
      target: true,
      skip: words('LOW_PRIORITY IGNORE ONLY OR REPLACE ROLLBACK ABORT FAIL TOP LATERAL'),
      list: true,
    },
  ],
  [
    'DELETE',
    { target: true, skip: words('LOW_PRIORITY QUICK IGNORE ONLY TOP LATERAL'), list: true },
  ],
  ['MERGE', { target: true, skip: words('INTO TOP ONLY LATERAL') }],
  ['VALUES', {}],
  ['TABLE', { target: true, skip: words('ONLY') }],
  ['TRUNCATE', { follow: TABLES, target: true, skip: words('ONLY'), list: true }],
  ['CREATE', DEFINE],
  ['ALTER', DEFINE],
  ['DROP', DEFINE],
  ['REFRESH', DEFINE],
  ['RENAME', { follow: TABLES, target: true }],
  ['CALL', { target: true, procedure: true }],
  ['EXEC', { target: true, procedure: true }],
  ['EXECUTE', { target: true, procedure: true, follow: words('IMMEDIATE') }],
  ['COPY', { target: true }],
  ['LOAD', { follow: words('DATA XML') }],
  ['BULK', { follow: words('INSERT'), target: true, last: true }],
  ['EXPLAIN', { prefix: true }],
  ['PREPARE', { follow: words('TRANSACTION') }],
  ['DECLARE', {}],
  [
    'BEGIN',
    {
      follow: words('TRANSACTION TRAN WORK IMMEDIATE DEFERRED EXCLUSIVE CONCURRENT'),
      prefix: true,
    },
  ],
  ['START', END],
  ['COMMIT', END],
  ['ROLLBACK', END],
  ['END', END],
  ['ABORT', END],
  ['SAVEPOINT', END],
  ['RELEASE', END],
  ['SAVE', END],
  ['SET', { target: true, skip: words('SESSION LOCAL GLOBAL PERSIST PERSIST_ONLY') }],
  ['RESET', { target: true, last: true }],
  ['SHOW', { target: true, skip: words('FULL EXTENDED SESSION GLOBAL'), last: true }],
  ['DESCRIBE', { target: true, skip: words('TABLE EXTENDED FORMATTED') }],
  ['DESC', { target: true, skip: words('TABLE EXTENDED FORMATTED') }],
  ['USE', { target: true, last: true }],
  ['LISTEN', { target: true, last: true }],
  ['UNLISTEN', { target: true, last: true }],
  ['NOTIFY', { target: true, last: true }],
  ['PRAGMA', { target: true, last: true }],
  ['LOCK', { follow: TABLES, target: true, skip: words('ONLY'), list: true }],
  ['UNLOCK', { follow: TABLES, last: true }],
  ['VACUUM', MAINTAIN],
  ['ANALYZE', MAINTAIN],
  ['REINDEX', MAINTAIN],
  ['CLUSTER', MAINTAIN],
  ['OPTIMIZE', MAINTAIN],
  ['REPAIR', MAINTAIN],
  ['CHECK', MAINTAIN],
  ['CHECKSUM', MAINTAIN],
  ['ATTACH', { follow: words('DATABASE'), last: true }],
  ['DETACH', { follow: words('DATABASE'), last: true }],
  ['DEALLOCATE', { follow: words('PREPARE'), last: true }],
  ...(
    'GRANT REVOKE DENY DO COMMENT FETCH MOVE OPEN CLOSE DISCARD CHECKPOINT FLUSH KILL XA HANDLER SECURITY ' +
    'REASSIGN IMPORT EXPORT PURGE CHANGE STOP SHUTDOWN INSTALL UNINSTALL SIGNAL PRINT BACKUP RESTORE'
  )
    .split(' ')
    .map((verb): [string, Verb] => [verb, NAME_ONLY]),
]);

/** Further words a statement may begin with; what follows one is read as usual. */
export const OTHER_BEGINNINGS: ReadonlySet<string> = words(
  'WITH IF ELSE WHILE FOR LOOP CASE RETURN RAISERROR THROW WAITFOR GO GOTO ELSEIF REPEAT LEAVE ITERATE ' +
    'FROM SUMMARIZE PIVOT UNPIVOT GET DELIMITER',
);

/** Verbs that may begin the statement behind `EXPLAIN`, `WITH ...` or `PREPARE p AS`. */
export const INNER_VERBS: ReadonlySet<string> = words(
  'SELECT INSERT UPDATE DELETE MERGE REPLACE TABLE CREATE REFRESH DECLARE EXECUTE COPY CALL',
);

/** Verbs behind which `FROM` and `JOIN` name targets. */
export const FROM_VERBS: ReadonlySet<string> = words('SELECT DELETE UPDATE');
/** Verbs behind which `INTO` names a target. */
export const INTO_VERBS: ReadonlySet<string> = words('SELECT INSERT REPLACE MERGE LOAD');
/** Verbs behind which `USING` names a target. */
export const USING_VERBS: ReadonlySet<string> = words('DELETE MERGE');

/** Verbs whose target is a table. */
export const TABLE_VERBS: ReadonlySet<string> = words(
  'SELECT INSERT REPLACE UPDATE DELETE CREATE ALTER DROP',
);
/** Verbs that say what kind of thing they are about. */
export const DEFINING_VERBS: ReadonlySet<string> = words('CREATE ALTER DROP REFRESH');

/** What may be created, altered or dropped, with the words that make up its name. */
export const OBJECTS: ReadonlySet<string> = words(
  'TABLE VIEW MATERIALIZED INDEX DATABASE SCHEMA SEQUENCE FUNCTION PROCEDURE PROC ROUTINE TRIGGER TYPE DOMAIN ' +
    'EXTENSION USER ROLE LOGIN GROUP EVENT SERVER POLICY RULE PUBLICATION SUBSCRIPTION AGGREGATE ' +
    'OPERATOR CAST COLLATION CONVERSION LANGUAGE TABLESPACE STATISTICS SYNONYM PACKAGE',
);
/** Whose name belongs to a person: it stays out of the summary. */
export const PEOPLE: ReadonlySet<string> = words('USER ROLE LOGIN GROUP');
/** Whose definition holds statements that do not run now. */
export const BODIES: ReadonlySet<string> = words(
  'FUNCTION PROCEDURE PROC ROUTINE TRIGGER EVENT PACKAGE RULE POLICY AGGREGATE OPERATOR CAST',
);
/** Which name the table they belong to behind `ON`. */
export const ON_A_TABLE: ReadonlySet<string> = words('INDEX TRIGGER POLICY');

/** Words between a verb and its object: `CREATE OR REPLACE UNIQUE`. */
export const MODIFIERS: ReadonlySet<string> = words(
  'OR REPLACE UNIQUE TEMP TEMPORARY GLOBAL LOCAL UNLOGGED CLUSTERED NONCLUSTERED FULLTEXT SPATIAL ' +
    'RECURSIVE CONSTRAINT VIRTUAL FOREIGN EXTERNAL TRUSTED DEFINER SQL SECURITY INVOKER ALGORITHM ' +
    'MERGE TEMPTABLE UNDEFINED ONLINE OFFLINE EDITIONABLE FORCE BITMAP DEFAULT COLUMNSTORE CURRENT_USER',
);
/** Words between an object and its name. */
export const BEFORE_NAME: ReadonlySet<string> = words('IF NOT EXISTS CONCURRENTLY ONLY');
/** Words between `FROM`, `JOIN` or `INTO` and a target. */
export const BEFORE_TABLE: ReadonlySet<string> = words('ONLY LATERAL TEMP TEMPORARY UNLOGGED');

/** Words that end a list of tables. */
export const ENDS_LIST: ReadonlySet<string> = words(
  'WHERE GROUP HAVING ORDER LIMIT OFFSET FETCH WINDOW UNION INTERSECT EXCEPT MINUS RETURNING SET ' +
    'VALUES FOR QUALIFY CONNECT START WHEN OUTPUT LOCK OPTION',
);
/** Words that are no name where a target is expected: there is none then. */
export const NO_TARGET: ReadonlySet<string> = words(
  'WHERE SET ON USING AS FROM GROUP ORDER BY HAVING LIMIT UNION SELECT VALUES WITH INTO OUTFILE DUMPFILE JOIN',
);

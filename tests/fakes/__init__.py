"""The ports of the core, held in memory: what the tests run on where no I/O is wanted.

Each fake keeps its port's promise, as the suites in `tests/contracts` show where they exist, and
can be told to fail, since that is what a test cannot ask of the real thing.

module      stands for                                       by
clock       Clock                                            SettableClock
ids         Ids                                              SequentialIds
sessions    UnitOfWork, SessionRepository, SessionReader     InMemorySessions
monitor     Monitor                                          InMemoryMonitor
host        SessionHost                                      RecordingHost
vitals      Vitals                                           FixedVitals
operator    Operator                                         InMemoryOperator
pool        WorkerPool                                       InMemoryPool
progress    Progressing                                      RecordedProgress
examples    (no port: the values that tests begin with)
"""

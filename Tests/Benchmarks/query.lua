-- Queries: GETs the task of the URL.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")

wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")

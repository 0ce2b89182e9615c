//! ITU-T G.711: A-law and µ-law by table.
